use proptest::prelude::*;

use super::*;

const HEAD: &str = "country,name,currency,s,m,l,xl,requirements\n";

fn errors(file: &str) -> Vec<String> {
    let errors = PriceTable::from_csv(file.as_bytes()).unwrap_err();
    errors.iter().map(ToString::to_string).collect()
}

#[test]
fn a_table_is_read() {
    let file = "\u{FEFF}currency,Country,name,XL,l,m,s\r\nEUR,de,Germany,0.0645,0.066,0.0685,0.07\r\n\r\n\
                chf, DE ,Germany,1,1,1,1\r\neur,CI,\"Côte d'Ivoire\",0,0,0,0\r\n";
    let table = PriceTable::from_csv(file.as_bytes()).unwrap();
    let shown: Vec<String> = table
        .iter()
        .map(|price| {
            let rates = price.per_part.map(|rate| rate.to_string()).join(" ");
            format!("{} {} {} {rates} {:?}", price.country, price.name, price.currency, price.requirements)
        })
        .collect();
    assert_eq!(
        shown,
        [
            "CI Côte d'Ivoire EUR 0 0 0 0 None",
            "DE Germany CHF 1 1 1 1 None",
            "DE Germany EUR 0.07 0.0685 0.066 0.0645 None",
        ]
    );
    let file =
        format!("{HEAD}DE,Germany,EUR,1,1,1,1,\"Registered senders,\nplease\"\nAT,Austria,EUR,1,1,1,1,\n");
    let table = PriceTable::from_csv(file.as_bytes()).unwrap();
    let requirements: Vec<_> = table.iter().map(|price| price.requirements.as_deref()).collect();
    assert_eq!(requirements, [None, Some("Registered senders,\nplease")]);
    assert_eq!(PriceTable::from_csv(HEAD.as_bytes()), Ok(PriceTable::default()));
}

#[test]
fn what_is_wrong_is_told_with_its_place() {
    let file = format!(
        "{HEAD}DE,Germany,EUR,0.07,0.07,0.07,0.07,\n\
         DEU,,EURO,0.0000001,-1,1000.000001,\"0,07\",\n\
         AT,\"Aus\ntria\",EUR,1,1,1\n\
         \"\nDE\",Germany,eur,1,1,1,1,\n\
         AT,Austria,EUR,1,1,1,1,,\n"
    );
    let amount = "must be an amount below 1000000000 with at most 6 decimals, such as 12.75";
    assert_eq!(
        errors(&file),
        [
            "line 3, column country: must be a country code of two letters, such as US",
            "line 3, column name: must not be empty",
            "line 3, column currency: must be a currency code of three letters, such as EUR",
            &format!("line 3, column s: {amount}"),
            "line 3, column m: must be from 0 to 1000",
            "line 3, column l: must be from 0 to 1000",
            &format!("line 3, column xl: {amount}"),
            &format!("line 4, column xl: {amount}"),
            "line 6, column country: is there twice in this currency",
            "line 8: has more fields than the first line",
        ]
    );
}

#[test]
fn the_head_has_every_column_once() {
    assert_eq!(
        errors("country,name,Currency,s,m,s,price\n"),
        [
            "line 1, column s: is there twice",
            "line 1, column \"price\": is not known",
            "line 1, column l: is missing",
            "line 1, column xl: is missing",
        ]
    );
    assert_eq!(errors("").len(), 7);
    // Another separator.
    assert_eq!(errors("country;name;currency;s;m;l;xl\n").len(), 8);
}

#[test]
fn bytes_that_are_no_text_are_refused() {
    let mut file = format!("{HEAD}DE,Germany,EUR,1,1,1,1,\nAT,").into_bytes();
    file.extend(b"\xC3\x28,EUR,1,1,1,1,\n");
    let errors = PriceTable::from_csv(&file).unwrap_err();
    assert_eq!(errors[0].to_string(), "line 3: is not text in UTF-8");
    assert!(PriceTable::from_csv(b"\xFF\xFE").is_err());
}

#[test]
fn of_errors_some_are_told() {
    let file = format!("{HEAD}{}", "x\n".repeat(10_000));
    assert!((ERRORS..2 * ERRORS).contains(&errors(&file).len()));
}

proptest! {
    #[test]
    fn any_bytes_are_read_or_refused(file in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = PriceTable::from_csv(&[HEAD.as_bytes(), &file].concat());
        let _ = PriceTable::from_csv(&file);
    }
}
