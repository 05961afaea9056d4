use proptest::prelude::*;

use super::*;

fn five(texts: [&str; 5]) -> [Option<String>; COLUMNS] {
    texts.map(|text| (!text.is_empty()).then(|| text.to_owned()))
}

fn fill(text: &str, style: PlaceholderStyle) -> String {
    let labels = five(["Title", "Name", "", "First name", "Größe"]);
    let columns = five(["Dr.", "Kim", "c", "", "[Name]{{Name}}"]);
    Template::new(text, style, &labels).fill(&columns).unwrap()
}

#[test]
fn brackets_are_filled() {
    for (text, filled) in [
        ("", ""),
        ("Hi", "Hi"),
        ("[Title] [Name]!", "Dr. Kim!"),
        ("[Name][Name]", "KimKim"),
        // A column without a text.
        ("<[First name]>", "<>"),
        ("[ Name ]", "Kim"),
        // In another normal form. What is filled in is not read again.
        ("[Gro\u{308}ße]", "[Name]{{Name}}"),
        // No labels.
        ("[name] [c] [] [Name", "[name] [c] [] [Name"),
        ("Name] [[Name]] [x[Name]y]", "Name] [Kim] [xKimy]"),
        ("{{Name}}", "{{Name}}"),
        ("[\u{1F600}]ä[Name]ö", "[\u{1F600}]äKimö"),
    ] {
        assert_eq!(fill(text, PlaceholderStyle::Brackets), filled, "{text}");
    }
}

#[test]
fn braces_are_filled() {
    for (text, filled) in [
        ("Hi {{Name}}", "Hi Kim"),
        ("{{ Title }} {{Name}}{{First name}}.", "Dr. Kim."),
        ("{{Größe}}", "[Name]{{Name}}"),
        ("{Name} {{Name} {{Name}", "{Name} {{Name} {{Name}"),
        ("{{{Name}}}", "{Kim}"),
        ("{{{{Name}}}}", "{{Kim}}"),
        ("{{x}} {{}} {{{}}} }} {{", "{{x}} {{}} {{{}}} }} {{"),
        ("{{a{b}} {{Name}}", "{{a{b}} Kim"),
        ("{{a}b}} {{Na{{Name}}", "{{a}b}} {{NaKim"),
        ("[Name]", "[Name]"),
    ] {
        assert_eq!(fill(text, PlaceholderStyle::Braces), filled, "{text}");
    }
}

#[test]
fn without_a_list_everything_stays() {
    let none = five([""; 5]);
    let template = Template::new("[Name] []", PlaceholderStyle::Brackets, &none);
    assert!(template.is_constant());
    assert_eq!(template.fill(&none).as_deref(), Ok("[Name] []"));
    let labels = five(["Name", "", "", "", "Name"]);
    let template = Template::new("[Name]", PlaceholderStyle::Brackets, &labels);
    assert!(!template.is_constant());
    // The first column of the name.
    assert_eq!(template.fill(&five(["a", "", "", "", "e"])).as_deref(), Ok("a"));
}

#[test]
fn templates_have_1785_characters() {
    assert!(template_text(&"ä".repeat(1785)).is_ok());
    assert_eq!(template_text(&"ä".repeat(1786)), Err(Problem::TooLong { max: 1785 }));
    assert_eq!(template_text(" \n"), Err(Problem::Blank));
    assert_eq!(template_text(" a "), Ok(" a ".to_owned()));
    assert!(template_text("a\0").is_err());
}

#[test]
fn what_comes_of_a_template_is_bounded() {
    let labels = five(["a", "", "", "", ""]);
    let text = "[a]".repeat(595);
    let template = Template::new(&text, PlaceholderStyle::Brackets, &labels);
    let fill = |length: usize| template.fill(&five([&"x".repeat(length), "", "", "", ""]));
    assert_eq!(fill(10).map(|filled| filled.len()), Ok(5950));
    assert_eq!(fill(1530), Err(TooManyParts { encoding: Encoding::Gsm }));
}

#[test]
fn hostile_templates_are_read_in_one_pass() {
    for (text, style) in [("[", PlaceholderStyle::Brackets), ("{", PlaceholderStyle::Braces)] {
        let text = text.repeat(1_000_000);
        let template = Template::new(&text, style, &five(["a", "", "", "", ""]));
        assert!(template.is_constant());
    }
}

/// The same, by looking at every place where a mark could begin.
fn naive(text: &str, style: PlaceholderStyle, label: &str, value: &str) -> String {
    let (open, close, marks) = match style {
        PlaceholderStyle::Brackets => ("[", "]", ['[', ']']),
        PlaceholderStyle::Braces => ("{{", "}}", ['{', '}']),
    };
    let mut filled = String::new();
    let mut rest = text;
    while let Some(character) = rest.chars().next() {
        let inner = rest.strip_prefix(open).and_then(|inner| {
            let end = inner.find(close)?;
            let name = &inner[..end];
            (!name.contains(marks)).then(|| (name, &inner[end + close.len()..]))
        });
        if let Some((name, after)) = inner {
            let whole = &rest[..rest.len() - after.len()];
            filled.push_str(if name == label { value } else { whole });
            rest = after;
        } else {
            filled.push(character);
            rest = &rest[character.len_utf8()..];
        }
    }
    filled
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3000))]
    #[test]
    fn places_are_those_of_the_naive_reading(text in "([\\[\\]{}aäb]|\\{\\{|\\}\\}){0,24}") {
        for style in [PlaceholderStyle::Brackets, PlaceholderStyle::Braces] {
            let template = Template::new(&text, style, &five(["a", "", "", "", ""]));
            let filled = template.fill(&five(["<A>", "", "", "", ""])).unwrap();
            prop_assert_eq!(filled, naive(&text, style, "a", "<A>"));
        }
    }
}
