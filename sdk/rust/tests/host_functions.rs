//! Each host function, against the exact JSON that the server reads and writes.

use agentmem_plugin_sdk::host::{config, files, http, llm, log, memory, search, storage};
use agentmem_plugin_sdk::prelude::*;
use agentmem_plugin_sdk::testing::TestHost;

fn stored() -> Value {
    json!({
        "id": "m1", "content": "tea", "memory_type": "semantic", "user_id": "local", "agent_id": null, "run_id": null,
        "metadata": {"cups": 2}, "created_at": "2026-11-23T08:00:00.000000Z",
        "updated_at": "2026-11-23T08:00:00.000000Z", "hash": "h", "version": 1, "expires_at": null, "importance": null
    })
}

/// Answer `function` with `data`, run `code`, and give back its result and the one request it made.
fn asked<T>(function: &str, data: Value, code: impl FnOnce() -> Result<T, HostError>) -> (T, Value) {
    let host = TestHost::new().on(function, move |_| Ok(data.clone()));
    let answer = host.run(code).expect("an answer");
    let calls = host.calls(function);
    assert_eq!(calls.len(), 1);
    (answer, calls[0].clone())
}

#[test]
fn memories_are_added_read_changed_deleted_and_found() {
    let new = memory::NewMemory { importance: Some(0.5), ..memory::NewMemory::new("tea") };
    let (added, request) = asked("add_memory", json!({"memory": stored(), "duplicate": true}), || memory::add(&new));
    assert!(added.duplicate && added.memory.metadata["cups"] == 2);
    assert_eq!(request, json!({"content": "tea", "memory_type": "semantic", "metadata": {}, "importance": 0.5}));

    let (read, request) = asked("get_memory", json!({"memory": stored()}), || memory::get("m1"));
    assert_eq!((read.id.as_deref(), request), (Some("m1"), json!({"id": "m1"})));

    let change = memory::Change { agent_id: Some(None), if_version: Some(1), ..memory::Change::default() };
    let (_, request) = asked("update_memory", json!({"memory": stored()}), || memory::update("m1", &change));
    assert_eq!(request, json!({"id": "m1", "agent_id": null, "if_version": 1}));

    let (deleted, request) = asked("delete_memory", json!({"deleted": false}), || memory::delete("m1", Some(2)));
    assert_eq!((deleted, request), (false, json!({"id": "m1", "if_version": 2})));

    let found = json!({"results": [{"memory": stored(), "score": 0.7}], "mode": "lexical", "corrections": {"teq": "tea"}, "uncovered": 3});
    let (found, request) = asked("search_memories", found, || memory::search(&memory::Query::new("tea").limit(5)));
    assert_eq!((found.results[0].score, found.uncovered, found.corrections["teq"].as_str()), (0.7, 3, "tea"));
    assert_eq!(request, json!({"query": "tea", "limit": 5, "mode": "auto"}));
}

#[test]
fn values_are_stored_loaded_deleted_and_listed() {
    let options = storage::StoreOptions { ttl_seconds: Some(60), if_version: Some(0) };
    let answer = json!({"key": "k", "version": 1, "expires_at": "2026-11-23T08:00:00.000000Z"});
    let (kept, request) = asked("store_data", answer, || storage::store_with("k", &[1, 2], options));
    assert_eq!((kept.version, request), (1, json!({"key": "k", "value": [1, 2], "ttl_seconds": 60, "if_version": 0})));

    let answer = json!({"value": [1, 2], "version": 1, "expires_at": null});
    let (loaded, request) = asked("load_data", answer, || storage::load::<Vec<u8>>("k"));
    assert_eq!((loaded.map(|found| found.value), request), (Some(vec![1, 2]), json!({"key": "k"})));
    assert_eq!(asked("load_data", Value::Null, || storage::load::<Vec<u8>>("k")).0, None);

    assert!(asked("delete_data", json!({"deleted": true}), || storage::delete("k", None)).0);
    let answer = json!({"entries": [{"key": "k", "bytes": 5, "version": 1, "expires_at": null}], "cursor": "c"});
    let (listing, request) = asked("list_data", answer, || storage::list(&storage::ListOptions::default()));
    assert_eq!((listing.entries[0].bytes, listing.cursor.as_deref()), (5, Some("c")));
    assert_eq!(request, json!({"prefix": ""}));
}

#[test]
fn texts_are_ranked_and_embedded() {
    let answer = json!({"results": [{"index": 1, "score": 0.5, "parts": {"keyword": 0.5}, "candidate": "b"}], "mode": "keyword"});
    let (ranking, request) = asked("search", answer, || search::rank("b", &["a", "b"], search::Mode::Keyword, Some(1)));
    assert_eq!((ranking.results[0].index, ranking.mode.as_str()), (1, "keyword"));
    assert_eq!(request, json!({"query": "b", "candidates": ["a", "b"], "mode": "keyword", "limit": 1}));

    let (embedded, request) = asked("embed", json!({"model": "m", "vectors": [[0.5, 0.5]]}), || search::embed(&["a"]));
    assert_eq!((embedded.vectors, request), (vec![vec![0.5, 0.5]], json!({"texts": ["a"]})));
}

#[test]
fn a_model_a_site_and_files_are_asked() {
    let answer = json!({"text": "Hi", "model": "fast", "provider_kind": "model", "finish_reason": "stop", "usage": {"input": 1, "output": 2}});
    let (said, request) = asked("call_llm", answer, || llm::call(&llm::Request::prompt("Hello").system("Be short")));
    assert_eq!((said.text.as_str(), said.usage.map(|usage| usage.output), said.cost), ("Hi", Some(2), None));
    assert_eq!(request, json!({"prompt": "Hello", "system": "Be short"}));

    let answer = json!({"status": 200, "headers": {"a": "b"}, "body": "[1]", "url": "https://x.example/"});
    let post = http::Request::new(http::Method::Post, "https://x.example/").header("a", "b").body("{}");
    let (page, request) = asked("http_request", answer, || post.send());
    assert!(page.is_success() && page.json::<Vec<u8>>().is_ok_and(|numbers| numbers == [1]));
    assert_eq!(request, json!({"method": "POST", "url": "https://x.example/", "headers": {"a": "b"}, "body": "{}"}));

    let answer = json!({"content": "hi", "offset": 0, "size": 2, "eof": true, "modified": "2026-11-23T08:00:00Z"});
    let (content, request) = asked("read_file", answer, || files::read("notes/a"));
    assert_eq!((content.content.as_deref(), request), (Some("hi"), json!({"path": "notes/a", "encoding": "auto"})));
    let (_, request) = asked("write_file", json!({"bytes": 2, "created": true}), || files::write("notes/a", "hi"));
    assert_eq!(request, json!({"path": "notes/a", "content": "hi", "if_exists": "replace"}));
    let answer = json!({"entries": [{"name": "a", "type": "directory", "size": null, "modified": null}], "next": null});
    let (listing, request) = asked("list_files", answer, || files::list(None, None));
    assert_eq!((listing.entries[0].kind.as_str(), request), ("directory", json!({})));
    assert_eq!(asked("delete_file", Value::Null, || files::delete("notes/a")).1, json!({"path": "notes/a"}));
}

#[test]
fn configuration_and_log_lines() {
    let host = TestHost::new().config(json!({"limit": 5}));
    assert_eq!(host.run(|| config::get::<u8>("limit")), Ok(Some(5)));
    assert_eq!(host.run(|| config::get::<u8>("other")), Ok(None));
    host.run(|| log::warning("odd", json!({"n": 1})));
    assert_eq!(host.calls("log"), [json!({"level": "warning", "message": "odd", "fields": {"n": 1}})]);
}

#[test]
fn refusals_have_codes_and_no_host_is_one() {
    assert_eq!(memory::get("m1").unwrap_err().code, "no_host");
    assert_eq!(TestHost::new().run(|| memory::get("m1")).unwrap_err().code, "no_host");
    let slow = HostError::new("rate_limited", "Too many.").with_details(&json!({"retry_after": 2.5}));
    let error = TestHost::new().refuse("http_request", slow).run(|| http::get("https://x.example/")).unwrap_err();
    assert_eq!((error.code.as_str(), error.retry_after()), ("rate_limited", Some(2.5)));
    let odd = TestHost::new().on("embed", |_| Ok(json!({"model": 5}))).run(|| search::embed(&["a"])).unwrap_err();
    assert_eq!(odd.code, "unexpected_answer");
    let null = TestHost::new().on("embed", |_| Ok(Value::Null)).run(|| search::embed(&["a"])).unwrap_err();
    assert_eq!(null.message, "embed answered null.");
}
