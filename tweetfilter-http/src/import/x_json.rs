//! The JSON in which X's filtered stream and PowerTrack answer and take what they call rules.

use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use super::ndjson::identifier;
use super::{Fault, FilterLine, Malformed};

/// Any of the shapes: `GET` answers `data`, `POST` takes `add`, PowerTrack has `rules`.
#[derive(Deserialize)]
struct Document<'a> {
    #[serde(borrow, default)]
    data: Option<Vec<&'a RawValue>>,
    #[serde(borrow, default)]
    add: Option<Vec<&'a RawValue>>,
    #[serde(borrow, default)]
    rules: Option<Vec<&'a RawValue>>,
}

/// `None` when the text is not one JSON array or object at all, and so is something else.
pub(super) fn read(text: &str) -> Option<Result<Vec<FilterLine>, Malformed>> {
    let items = match text.trim_start().as_bytes().first()? {
        b'[' => serde_json::from_str::<Vec<&RawValue>>(text).ok()?,
        b'{' => {
            let first = text.trim_start().lines().next().unwrap_or_default();
            let is_json = |text| serde_json::from_str::<Map<String, Value>>(text).is_ok();
            if !is_json(text) && !is_json(first) {
                return None;
            }
            match serde_json::from_str::<Document<'_>>(text) {
                Ok(Document { data: Some(items), .. } | Document { add: Some(items), .. }) => items,
                Ok(Document { rules: Some(items), .. }) => items,
                _ => return Some(Err(Malformed { faults: vec![foreign(1)] })),
            }
        }
        _ => return None,
    };
    let mut lines = LineNumbers::new(text);
    let items = items.iter().enumerate();
    Some(Ok(items.map(|(n, raw)| read_item(raw.get(), n + 1, lines.of(raw.get()))).collect()))
}

fn foreign(line: usize) -> Fault {
    let message = "JSON, but neither filters (`{\"id\",\"filter\"}` on each line) nor X's /rules \
                   (`{\"data\":[{\"value\"}]}`)";
    Fault { line, message: message.to_owned() }
}

fn read_item(raw: &str, position: usize, line: usize) -> FilterLine {
    let mut read = FilterLine::new(position.to_string(), String::new(), line);
    let object = serde_json::from_str::<Map<String, Value>>(raw);
    let object = object.map_err(|_| "must be an object with `value`".to_owned());
    let filled = object.and_then(|object| fill(&mut read, &object));
    read.fault = filled.err();
    read
}

/// Fills in what a rule says, up to what is wrong in it.
fn fill(read: &mut FilterLine, object: &Map<String, Value>) -> Result<(), String> {
    read.name = object.get("tag").and_then(Value::as_str).map(str::to_owned);
    let Some(Value::String(text)) = object.get("value") else {
        return Err("`value` must be a string: the expression".to_owned());
    };
    read.text.clone_from(text);
    if let Some(id) = identifier(object.get("id"), "id")? {
        read.id = id;
    }
    Ok(())
}

/// Line numbers of slices of one text, asked for in order, so that the text is read once.
pub(super) struct LineNumbers<'a> {
    text: &'a str,
    read: usize,
    line: usize,
}

impl<'a> LineNumbers<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self { text, read: 0, line: 1 }
    }

    pub(super) fn of(&mut self, slice: &str) -> usize {
        let offset = (slice.as_ptr() as usize).saturating_sub(self.text.as_ptr() as usize);
        if let Some(between) = self.text.as_bytes().get(self.read..offset) {
            self.line += between.iter().filter(|&&b| b == b'\n').count();
            self.read = offset;
        }
        self.line
    }
}
