//! Reading JSON that names nothing twice: which of two values was meant nobody can tell, and readers differ.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

/// The longest name repeated in an error, in characters.
const SHOWN: usize = 60;

/// Reads one value. A name that stands twice in one object is an error, and `twice` says which.
pub(super) fn read(bytes: &[u8], twice: &mut Option<String>) -> Result<Value, serde_json::Error> {
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    let value = Once(twice).deserialize(&mut reader)?;
    reader.end()?;
    Ok(value)
}

struct Once<'t>(&'t mut Option<String>);

impl<'de> DeserializeSeed<'de> for Once<'_> {
    type Value = Value;
    fn deserialize<D: Deserializer<'de>>(self, reader: D) -> Result<Value, D::Error> {
        reader.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Once<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }
    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }
    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }
    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }
    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(Number::from_f64(value).map_or(Value::Null, Value::Number))
    }
    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.to_owned()))
    }
    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(Value::String(value))
    }
    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut parts: A) -> Result<Value, A::Error> {
        let mut all = Vec::new();
        while let Some(part) = parts.next_element_seed(Once(&mut *self.0))? {
            all.push(part);
        }
        Ok(Value::Array(all))
    }
    fn visit_map<A: MapAccess<'de>>(self, mut parts: A) -> Result<Value, A::Error> {
        let mut all = Map::new();
        while let Some(name) = parts.next_key::<String>()? {
            if all.contains_key(&name) {
                *self.0 = Some(name.chars().take(SHOWN).collect());
                return Err(A::Error::custom("a name stands twice"));
            }
            let value = parts.next_value_seed(Once(&mut *self.0))?;
            all.insert(name, value);
        }
        Ok(Value::Object(all))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn twice(text: &str) -> Option<String> {
        let mut twice = None;
        let _ = read(text.as_bytes(), &mut twice);
        twice
    }

    #[test]
    fn what_is_named_once_is_read_as_ever() {
        for text in [
            "{}",
            r#"{"a":1,"b":{"a":[1,-2,3.5,true,null,"\u00e9\n",18446744073709551615]},"":"","A":1e300}"#,
            r#"[{"a":1},{"a":2}]"#,
            "7",
        ] {
            let mut twice = None;
            let plain: Value = serde_json::from_str(text).unwrap();
            assert_eq!(read(text.as_bytes(), &mut twice).unwrap(), plain);
            assert_eq!(twice, None);
        }
        for text in ["", "{", "{}{}", "{\"a\"}", "nul", &"[".repeat(500)] {
            let mut twice = None;
            assert!(read(text.as_bytes(), &mut twice).is_err(), "{text}");
            assert_eq!(twice, None);
        }
    }

    #[test]
    fn a_name_that_stands_twice_is_told_wherever_it_stands() {
        assert_eq!(twice(r#"{"a":1,"a":1}"#).as_deref(), Some("a"));
        assert_eq!(twice(r#"{"x":[{"b":1,"\u0062":2}]}"#).as_deref(), Some("b"));
        assert_eq!(
            twice(&format!(r#"{{"{0}":1,"{0}":2}}"#, "长".repeat(99))).map(|n| n.chars().count()),
            Some(SHOWN)
        );
    }
}
