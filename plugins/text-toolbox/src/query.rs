//! JSONPath (RFC 9535) over JSON.

use agentmem_plugin_sdk::prelude::*;
use serde_json_path::JsonPath;

use crate::answer::{too_long, LONGEST};

/// How many values a path may find, whatever the limit of those that are told.
const MOST: usize = 20_000;

/// What `json_query` is called with.
#[request]
pub struct Request {
    /// The JSONPath: "$.books[?@.price < 10].title", "$..name"
    #[schemars(length(min = 1, max = 10_000))]
    pub path: String,
    /// The data: an object, a list, or any JSON value
    #[serde(default)]
    pub data: Option<Value>,
    /// The data as a text of JSON, in place of `data`
    #[serde(default)]
    pub json: Option<String>,
    /// How many values at most
    #[serde(default = "hundred")]
    #[schemars(range(min = 1, max = 1000))]
    pub limit: usize,
}

/// A value that was found.
#[response]
pub struct Hit {
    /// Where it is, as a path of its own
    pub path: String,
    /// The value
    pub value: Value,
}

/// What `json_query` answers.
#[response]
pub struct Response {
    /// The values, in the order of the data
    pub results: Vec<Hit>,
    /// How many were found in all, also beyond `limit`
    pub count: usize,
}

/// Query JSON.
///
/// # Errors
/// When the path is none, or there is no data, or it is no JSON.
pub fn query(request: &Request) -> Result<Response, Error> {
    if !(1..=1000).contains(&request.limit) {
        return Err("`limit` must be from 1 to 1000.".into());
    }
    let path = JsonPath::parse(&request.path).map_err(|reason| {
        format!("`path` is no JSONPath: {reason}. A path begins with $, as in \"$.books[?@.price < 10].title\".")
    })?;
    let data = match (&request.data, &request.json) {
        (Some(data), None) => data.clone(),
        (None, Some(text)) => serde_json::from_str(text).map_err(|reason| format!("`json` is no JSON: {reason}."))?,
        _ => return Err("Give either `data` (a JSON value) or `json` (a text of JSON).".into()),
    };
    // Only then are paths made, each as long as its value is deep.
    if path.query(&data).len() > MOST {
        return Err(format!("The path finds more than {MOST} values. Ask for less with it.").into());
    }
    let found = path.query_located(&data);
    let hit =
        |node: serde_json_path::LocatedNode| Hit { path: node.location().to_string(), value: node.node().clone() };
    let count = found.len();
    let mut room = LONGEST;
    let mut results = Vec::new();
    for node in found.into_iter().take(request.limit) {
        let size = serde_json::to_vec(node.node())?.len();
        room = room.checked_sub(size).ok_or_else(too_long)?;
        results.push(hit(node));
    }
    Ok(Response { results, count })
}

fn hundred() -> usize {
    100
}

#[cfg(test)]
mod tests {
    use super::*;

    fn queried(request: Value) -> Result<Response, String> {
        query(&serde_json::from_value(request).expect("a request")).map_err(|error| error.to_string())
    }

    #[test]
    fn values_come_with_their_places() {
        let data =
            json!({"books": [{"title": "A", "price": 8}, {"title": "B", "price": 12}, {"title": "Ćc", "price": 5}]});
        let found = queried(json!({"path": "$.books[?@.price < 10].title", "data": data})).expect("found");
        assert_eq!(found.count, 2);
        assert_eq!(found.results[1], Hit { path: "$['books'][2]['title']".into(), value: json!("Ćc") });
    }

    #[test]
    fn the_functions_of_the_standard_are_there() {
        let text = r#"[{"n": "abc"}, {"n": "d"}, {"n": [1, 2, 3]}]"#;
        for (path, count) in
            [("$[?length(@.n) == 3]", 2), ("$[?match(@.n, '[a-c]+')]", 1), ("$[?count(@.n[*]) > 2]", 1)]
        {
            assert_eq!(queried(json!({"path": path, "json": text})).expect(path).count, count, "{path}");
        }
    }

    #[test]
    fn a_path_that_finds_too_much_is_refused() {
        let flat = json!({"path": "$[*]", "data": vec![0; MOST + 1]});
        assert!(queried(flat).unwrap_err().contains("more than 20000 values"));
        let long = json!({"path": "$..*", "data": [["x".repeat(400_000)]]});
        assert_eq!(queried(long.clone()).expect("found").count, 2);
        let longer = json!({"path": "$..*", "data": [[["x".repeat(400_000)]]]});
        assert!(queried(longer).unwrap_err().contains("more than 1000000 bytes"));
    }

    #[test]
    fn what_is_wrong_is_told() {
        assert!(queried(json!({"path": "books", "data": 1})).unwrap_err().contains("begins with $"));
        assert!(queried(json!({"path": "$"})).unwrap_err().contains("either `data`"));
        assert!(queried(json!({"path": "$", "json": "{"})).unwrap_err().contains("no JSON"));
    }
}
