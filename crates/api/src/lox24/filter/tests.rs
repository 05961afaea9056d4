use muster_domain::FieldError;
use muster_domain::message::MessageField::{
    self, CreatedAt, HandedOverAt, IsSent, IsUnicode, PartsCount, Status,
};
use proptest::prelude::*;

use super::*;
use crate::Settings;
use crate::http::Failure;
use crate::lox24::message_wire::FILTERS;

/// As of messages, with something of which there may be no value.
const ALL: Filters<MessageField> = Filters { exists: &[("is_unicode", IsUnicode)], ..FILTERS };

fn read<T>(raw: &str, read: impl FnOnce(&mut Query<'_>) -> T) -> Result<T, Vec<FieldError>> {
    match Query::read(raw, &Settings::default(), read) {
        Ok(read) => Ok(read),
        Err(Failure::Fields(errors)) => Err(errors),
        Err(other) => panic!("{other:?}"),
    }
}

fn listing(raw: &str) -> Listing<MessageField> {
    read(raw, |query| ALL.list(query)).unwrap()
}

/// What a list is filtered by.
fn all(raw: &str) -> Vec<Vec<Test<MessageField>>> {
    listing(raw).query.filter.all
}

/// The names of the failing parameters of a list.
fn failing(raw: &str) -> Vec<String> {
    let errors = read(raw, |query| ALL.list(query)).unwrap_err();
    errors.into_iter().map(|error| error.field.into_owned()).collect()
}

fn refused(raw: &str) -> Vec<String> {
    let errors = read(raw, |query| ALL.select(query)).unwrap_err();
    errors.into_iter().map(|error| error.field.into_owned()).collect()
}

#[test]
fn one_value_and_several_are_read_in_every_form() {
    let status = |codes: &[i64]| vec![codes.iter().map(|code| Test::is(Status, *code)).collect::<Vec<_>>()];
    assert_eq!(all(""), [] as [Vec<Test<MessageField>>; 0]);
    assert_eq!(all("status_code=100"), status(&[100]));
    for raw in [
        "status_code[]=100&status_code[]=0",
        "status_code[0]=100&status_code[1]=0",
        "status_code%5B%5D=100&status_code%5B7%5D=0",
        "status_code=100&status_code=0",
    ] {
        assert_eq!(all(raw), status(&[100, 0]), "{raw}");
    }
    for (raw, sent) in [("true", 1), ("1", 1), ("false", 0), ("0", 0)] {
        assert_eq!(all(&format!("is_sent={raw}")), [[Test::is(IsSent, sent)]]);
        // Its other name is another filter, so that both have to hold.
        let both = [[Test::is(IsSent, sent)], [Test::is(IsSent, 1)]];
        assert_eq!(all(&format!("sent[0]={raw}&is_sent=1")), both);
    }
    let texts = [
        [Test::Contains(MessageField::Text, "a b&%".to_owned())],
        [Test::Text(MessageField::Country, "DE".to_owned())],
    ];
    assert_eq!(all("text=a+b%26%25&iso2=de"), texts);
}

#[test]
fn numbers_have_bounds() {
    let parts = |least, most| [[Test::Number(PartsCount, least, most)]];
    for (raw, least, most) in [
        ("parts_count=2", 2, 2),
        ("parts_count[gt]=2", 3, i64::MAX),
        ("parts_count[gte]=2", 2, i64::MAX),
        ("parts_count[lt]=2", i64::MIN, 1),
        ("parts_count[lte]=-2", i64::MIN, -2),
        ("parts_count[between]=2..3", 2, 3),
        ("parts_count[between]=-3..-2", -3, -2),
        // Nothing is between.
        ("parts_count[between]=3..2", i64::MAX, i64::MIN),
    ] {
        assert_eq!(all(raw), parts(least, most), "{raw}");
    }
    // All bounds hold, beside the values.
    let mixed = "parts_count[gt]=1&parts_count[lt]=9&parts_count[]=2&parts_count[]=3";
    assert_eq!(all(mixed).iter().map(Vec::len).collect::<Vec<_>>(), [1, 1, 2]);
}

#[test]
fn times_are_shown_in_seconds_and_kept_in_microseconds() {
    let at = |least, most| [[Test::Number(CreatedAt, least, most)]];
    for (raw, least, most) in [
        ("created_at=7", 7_000_000, 7_999_999),
        ("created_at[gt]=7", 8_000_000, i64::MAX),
        ("created_at[gte]=7", 7_000_000, i64::MAX),
        ("created_at[lt]=7", i64::MIN, 6_999_999),
        ("created_at[lte]=7", i64::MIN, 7_999_999),
        ("created_at[between]=7..8", 7_000_000, 8_999_999),
        // What no store can keep: all of it, or nothing.
        ("created_at[lt]=999999999999999999", i64::MIN, i64::MAX),
        ("created_at[gt]=-999999999999999999", i64::MIN, i64::MAX),
        ("created_at[gt]=999999999999999999", i64::MAX, i64::MIN),
        ("created_at[lte]=-999999999999999999", i64::MAX, i64::MIN),
        ("created_at=999999999999999999", i64::MAX, i64::MIN),
    ] {
        assert_eq!(all(raw), at(least, most), "{raw}");
    }
}

#[test]
fn order_page_and_existence_are_read() {
    let order = |raw: &str| {
        let query = listing(raw).query;
        (query.by, query.is_descending)
    };
    assert_eq!(order("x=y&_order[price]=asc"), (CreatedAt, true));
    assert_eq!(order("_order[created_at]=asc"), (CreatedAt, false));
    assert_eq!(order("_order[gateway_sent_at]=desc&_order[created_at]=asc"), (HandedOverAt, true));
    assert_eq!(all("exists[is_unicode]=1"), [[Test::is(IsUnicode, 1)]]);
    let third = listing("page=3&status_code[]=0&x=y&_order[created_at]=asc");
    assert_eq!((third.page, third.query.slice.offset), (3, 60));
    assert_eq!(third.kept, "status_code%5B%5D=0&_order%5Bcreated_at%5D=asc");
}

#[test]
fn every_wrong_value_is_named() {
    for raw in [
        "is_sent=yes",
        "is_sent=",
        "is_sent[0]=2",
        "uuid=7",
        "uuid[]=11111111222233334444555555555555",
        "iso2=DEU",
        "iso2=",
        "status_code=",
        "status_code=x",
        "status_code=1.0",
        "status_code=+1",
        "status_code=1000000000000000000",
        "status_code=99999999999999999999",
        "created_at[gt]=",
        "created_at[between]=1",
        "created_at[between]=1...2",
        "created_at[between]=1..",
        "text=",
        "text[]=",
        "text=a%00b",
        "callback_data=1234567890123456789012345678901234567",
        "_order[created_at]=up",
        "_order[created_at]=",
        "exists[is_unicode]=maybe",
        "page=0",
    ] {
        let name = raw.split_once('=').unwrap().0;
        assert_eq!(failing(raw), [name], "{raw}");
    }
    let many = "is_sent=x&uuid[1]=x&created_at[lt]=x&page=x&_order[created_at]=x&unknown=x";
    let mut names = failing(many);
    names.sort_unstable();
    assert_eq!(names, ["_order[created_at]", "created_at[lt]", "is_sent", "page", "uuid[1]"]);
}

#[test]
fn a_list_ignores_what_it_does_not_know_and_an_operation_refuses_it() {
    for name in [
        "unknown",
        "status",
        "is_sent[gt]",
        "text[lt]",
        "uuid[a]",
        "uuid[0][1]",
        "uuid]",
        "[]",
        "",
        "created_at[eq]",
        "_order",
        "_order[text]",
        "exists[text]",
        "exists",
        "status_code[0000000000]",
    ] {
        let raw = format!("{}=1", form_urlencoded::byte_serialize(name.as_bytes()).collect::<String>());
        assert!(listing(&raw).query.filter.is_empty() && listing(&raw).kept.is_empty(), "{name}");
        assert_eq!(refused(&format!("status_code=0&{raw}")), [name]);
    }
    // A page of an operation would be all pages.
    assert_eq!(refused("status_code=0&page=1"), ["page"]);
    let ordered = read("status_code=0&_order[created_at]=asc", |query| ALL.select(query)).unwrap();
    assert_eq!(ordered.all, [[Test::is(Status, 0)]]);
    let long = refused(&"x".repeat(1000));
    assert_eq!(long[0].len(), 64);
}

#[test]
fn there_are_only_so_many_values() {
    let codes = |count: usize| vec!["status_code[]=0"; count].join("&");
    assert_eq!(all(&codes(500))[0].len(), 500);
    assert_eq!(failing(&codes(501)), [""]);
    assert_eq!(failing(&codes(10_000)), [""]);
    let texts = |count: usize| vec!["text[]=a"; count].join("&");
    assert_eq!(all(&texts(50))[0].len(), 50);
    assert_eq!(failing(&texts(51)), [""]);
    // What is ignored costs nothing, what is refused does.
    let unknown = vec!["x=y"; 10_000].join("&");
    assert!(listing(&unknown).query.filter.is_empty());
    let names: Vec<String> = (0..10_000).map(|at| format!("x{at}=y")).collect();
    assert_eq!(refused(&names.join("&")).len(), 502);
}

proptest! {
    #[test]
    fn any_query_is_read_or_refused(
        raw in "((is_sent|uuid|created_at|parts_count|text|_order|exists|page)?(\\[(gt|between|created_at|[0-9]{0,3})?\\]?)?=?[-.0-9a-z%\\PC]{0,9}&?){0,9}",
    ) {
        let listed = read(&raw, |query| ALL.list(query));
        if let Ok(listed) = listed {
            // The parameters of a link mean the same.
            let again = listing(&listed.kept);
            prop_assert_eq!(&again.query.filter, &listed.query.filter);
            prop_assert_eq!(again.query.by, listed.query.by);
            prop_assert_eq!(&again.kept, &listed.kept);
        }
        let _ = read(&raw, |query| ALL.select(query));
    }
}
