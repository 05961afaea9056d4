//! What a document says of filters.

use serde_json::{Value, json};

use super::value::{BOOLEANS, BOUNDS, DIRECTIONS, MOST, UUIDS};
use super::{Filters, Takes};
use crate::http::{Shape, Text};

const BETWEEN: &str = r"^-?[0-9]{1,18}\.\.-?[0-9]{1,18}$";

impl<F: Copy> Filters<F> {
    /// The parameters.
    pub(super) fn published(&self, is_list: bool) -> Vec<Value> {
        let mut parameters = Vec::new();
        let mut put = |name: String, schema: Value| {
            parameters.push(json!({"name": name, "in": "query", "schema": schema}));
        };
        for property in self.properties {
            let (name, schema) = (property.name, Value::from(property.takes.shape().schema()));
            put(name.to_owned(), schema.clone());
            put(format!("{name}[]"), json!({"type": "array", "items": schema}));
            if matches!(property.takes, Takes::Integers | Takes::Times) {
                for bound in BOUNDS {
                    let form = Text { pattern: Some(BETWEEN), ..Text::ANY };
                    let shape = if bound == "between" { Shape::Text(form) } else { INTEGER };
                    put(format!("{name}[{bound}]"), shape.schema().into());
                }
            }
        }
        for (name, _) in self.exists {
            put(format!("exists[{name}]"), Shape::Words(&BOOLEANS).schema().into());
        }
        for (name, _) in self.orders.iter().filter(|_| is_list) {
            put(format!("_order[{name}]"), Shape::Words(&DIRECTIONS).schema().into());
        }
        parameters
    }
}

const INTEGER: Shape = Shape::Integer { min: -MOST, max: MOST };

impl Takes {
    /// What one value is.
    fn shape(self) -> Shape {
        match self {
            Self::Boolean => Shape::Words(&BOOLEANS),
            Self::Integer | Self::Integers | Self::Times | Self::BulkStatus => INTEGER,
            Self::Uuid => Shape::Text(Text { pattern: Some(UUIDS), ..Text::ANY }),
            Self::Country => Shape::Text(Text { pattern: Some("^[A-Za-z]{2}$"), ..Text::ANY }),
            Self::Text(max) | Self::Part(max) => Shape::Text(Text { min: 1, ..Text::limited(max) }),
        }
    }
}
