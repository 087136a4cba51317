//! URLs: a query with one more parameter, a reference that an answer holds, the header `Link`.

use fluent_uri::{Uri, UriRef};
use percent_encoding::{utf8_percent_encode, AsciiSet, NON_ALPHANUMERIC};

use crate::page::Stop;

const KEPT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// The URL with a parameter of its query set; what it had under that name is gone.
pub fn with(url: &str, name: &str, value: &str) -> String {
    let url = url.split('#').next().unwrap_or(url);
    let (path, query) = url.split_once('?').unwrap_or((url, ""));
    let name = encoded(name);
    let mut pairs: Vec<String> = query
        .split('&')
        .filter(|pair| !pair.is_empty() && pair.split('=').next() != Some(name.as_str()))
        .map(str::to_owned)
        .collect();
    pairs.push(format!("{name}={}", encoded(value)));
    format!("{path}?{}", pairs.join("&"))
}

/// A text as a part of a URL.
pub fn encoded(text: &str) -> String {
    utf8_percent_encode(text, KEPT).to_string()
}

/// The URL that an answer of `base` names, if it leads to the same server: headers with secrets go nowhere else.
///
/// # Errors
/// It is no URL, or one of another server.
pub fn followed(base: &str, reference: &str) -> Result<String, Stop> {
    let stop = |what: &str| Stop::new("paging_stuck", format!("The next page {what}."));
    let base = Uri::parse(base).map_err(|_| stop("has no base: the source's URL is none"))?;
    let next = UriRef::parse(reference).ok().and_then(|next| next.resolve_against(&base).ok());
    let next = next.ok_or_else(|| stop("has no URL that can be read"))?;
    let origin = |uri: &Uri<&str>| {
        let authority = uri.authority().map(|authority| authority.as_str().to_ascii_lowercase());
        (uri.scheme().as_str().to_ascii_lowercase(), authority)
    };
    if origin(&next.borrow()) != origin(&base) {
        return Err(stop("is on another server, which is not followed"));
    }
    Ok(next.as_str().to_owned())
}

/// The target of `rel="next"` in a header `Link` (RFC 8288).
pub fn next_link(header: &str) -> Option<String> {
    let mut rest = header;
    while let Some((_, after)) = rest.split_once('<') {
        let (target, after) = after.split_once('>')?;
        let parameters = parameters_of(after);
        if is_next(parameters) {
            return Some(target.trim().to_owned());
        }
        rest = after.get(parameters.len()..)?;
    }
    None
}

/// What stands between a target and the comma that ends its link; a comma in quotes ends none.
fn parameters_of(text: &str) -> &str {
    let mut quoted = false;
    let end = text.char_indices().find(|(_, letter)| {
        quoted ^= *letter == '"';
        *letter == ',' && !quoted
    });
    end.map_or(text, |(end, _)| text.get(..end).unwrap_or(text))
}

fn is_next(parameters: &str) -> bool {
    parameters.split(';').filter_map(|one| one.split_once('=')).any(|(name, value)| {
        let rels = value.trim().trim_matches('"');
        name.trim().eq_ignore_ascii_case("rel") && rels.split_whitespace().any(|rel| rel.eq_ignore_ascii_case("next"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_parameter_is_set_once_and_encoded() {
        assert_eq!(with("https://x.example/a", "page", "2"), "https://x.example/a?page=2");
        assert_eq!(with("https://x.example/a?page=1&q=b%20c#top", "page", "2"), "https://x.example/a?q=b%20c&page=2");
        assert_eq!(with("https://x.example/a?", "c", "a&b=ü"), "https://x.example/a?c=a%26b%3D%C3%BC");
    }

    #[test]
    fn the_next_page_is_on_the_same_server() {
        let base = "https://x.example/v1/items?page=1";
        let followed = |reference: &str| followed(base, reference).map_err(|stop| stop.reason);
        assert_eq!(followed("?page=2"), Ok("https://x.example/v1/items?page=2".to_owned()));
        assert_eq!(followed("/v2/items"), Ok("https://x.example/v2/items".to_owned()));
        assert_eq!(followed("HTTPS://X.example/b"), Ok("HTTPS://X.example/b".to_owned()));
        for foreign in ["https://evil.example/b", "http://x.example/b", "//evil.example/b", "https://x.example:444/"] {
            assert_eq!(
                followed(foreign),
                Err("The next page is on another server, which is not followed.".to_owned()),
                "{foreign}"
            );
        }
        assert_eq!(followed("https://[x"), Err("The next page has no URL that can be read.".to_owned()));
    }

    #[test]
    fn the_next_link_is_found_among_others() {
        let header = r#"<https://x.example/?a=1,2>; rel="prev"; title="a, <b>", </c?page=3>; title=x; REL="last next""#;
        assert_eq!(next_link(header), Some("/c?page=3".to_owned()));
        assert_eq!(next_link(r#"<a>; rel=next"#), Some("a".to_owned()));
        assert_eq!([next_link(""), next_link("<a"), next_link(r#"<a>; rel="nextish""#)], [None, None, None]);
    }
}
