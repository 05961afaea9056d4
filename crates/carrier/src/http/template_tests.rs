use proptest::prelude::*;

use super::*;
use crate::Part;

fn message(text: &str) -> Outgoing {
    Outgoing {
        reference: "m-1".to_owned(),
        from: "A&B".to_owned(),
        to: "+491512345678".to_owned(),
        text: text.to_owned(),
        encoding: Encoding::Gsm,
        parts: vec![Part(vec![1]), Part(vec![2])],
        validity: None,
        want_receipt: true,
    }
}

#[test]
fn json_is_filled_and_escaped() {
    let template = r#"{"to":["{to}"],"t":"<{text}>","n":"{parts}","v":"{validity}","k":{"{to}":true},"m":"{parts} parts","b":"{ a } {"}"#;
    let message = message("say \"hi\"\n\u{0}{to} \\ €");
    let (kind, body) = Body::json(template).unwrap().fill(&Values(&message)).unwrap();
    assert_eq!(kind, "application/json");
    assert_eq!(
        body,
        r#"{"to":["+491512345678"],"t":"<say \"hi\"\n\u0000{to} \\ €>","n":2,"v":null,"k":{"{to}":true},"m":"2 parts","b":"{ a } {"}"#
    );
    let timed = Outgoing { validity: Some(Duration::from_hours(1)), ..message };
    let (_, body) = Body::json(r#"["{validity}"]"#).unwrap().fill(&Values(&timed)).unwrap();
    assert_eq!(body, "[3600]");
}

#[test]
fn forms_and_urls_are_filled_and_escaped() {
    let message = message("a=b&c d+ü");
    let (_, body) =
        Body::form("to={to_digits}&text={text}&key=x%20y").unwrap().fill(&Values(&message)).unwrap();
    assert_eq!(body, "to=491512345678&text=a%3Db%26c+d%2B%C3%BC&key=x+y");
    let url = url("https://gateway.example.net/{reference}?to={to}&from={from}", &Values(&message));
    assert_eq!(url, "https://gateway.example.net/m-1?to=%2B491512345678&from=A%26B");
}

#[test]
fn places_that_are_not_there_are_found() {
    assert!(Body::json(r#"{"a":["{to}","{nothing}"]}"#).unwrap_err().contains("{nothing}"));
    assert!(Body::json("{").is_err());
    assert!(Body::form("a={password}").is_err());
    assert!(check_header("Bearer {text}").is_err(), "a text could hold a line break");
    assert!(check_header("{reference}").is_ok());
    for (url, is_good) in [
        ("https://gateway.example.net/{to}", true),
        ("http://127.0.0.1:8080?to={to}", true),
        ("https://{to}/", false),
        ("https://gateway.example.net:{parts}/", false),
        ("https:///x", false),
        ("gateway.example.net", false),
        ("https://gateway.example.net/{what}", false),
    ] {
        assert_eq!(check_url(url).is_ok(), is_good, "{url}");
    }
}

proptest! {
    #[test]
    fn no_text_breaks_out_of_its_place(text in any::<String>()) {
        let message = message(&text);
        let values = Values(&message);
        let (_, json) = Body::json(r#"{"a":"{text}","b":1}"#).unwrap().fill(&values).unwrap();
        prop_assert_eq!(serde_json::from_str::<Value>(&json).unwrap(), serde_json::json!({"a": &text, "b": 1}));
        let (_, form) = Body::form("a={text}&b=1").unwrap().fill(&values).unwrap();
        let fields: Vec<_> = form_urlencoded::parse(form.as_bytes()).into_owned().collect();
        prop_assert_eq!(fields, [("a".to_owned(), text), ("b".to_owned(), "1".to_owned())]);
        let url = url("{text}", &values);
        prop_assert!(url.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~%".contains(&byte)));
    }
}
