//! Markdown: front matter in YAML, and a record for each heading with what stands below it. Long sections are parted
//! between their blocks. What is a heading is `pulldown-cmark`'s business, so that one in a code block is none.

use agentmem_plugin_sdk::prelude::*;
use agentmem_plugin_sdk::serde_json::Map;
use pulldown_cmark::{Event, HeadingLevel, MetadataBlockKind, Options, Parser, Tag, TagEnd};

use crate::page::{record, Item, Problem};
use crate::yaml;

/// A part of a section ends before the block that would make it longer than this, in bytes.
const PART: usize = 4_000;

/// A piece of a document: some of its blocks, below its headings.
#[derive(Debug, Default, Clone)]
struct Section {
    headings: Vec<(usize, String)>,
    text: String,
}

/// A document, its records not made yet.
pub struct Document {
    matter: Result<Map<String, Value>, String>,
    sections: Vec<Section>,
}

/// Read a document.
pub fn document(text: &str) -> Document {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut reading = Reading::default();
    let options = Options::ENABLE_TABLES | Options::ENABLE_YAML_STYLE_METADATA_BLOCKS;
    for (event, range) in Parser::new_ext(text, options).into_offset_iter() {
        reading.event(event, text.get(range).unwrap_or_default());
    }
    reading.close();
    Document { matter: front_matter(&reading.matter), sections: reading.sections }
}

impl Document {
    /// How many records there are; one that is a problem, where the front matter cannot be read.
    pub fn count(&self) -> usize {
        if self.matter.is_ok() {
            self.sections.len()
        } else {
            1
        }
    }

    /// Up to `most` records from a number on.
    pub fn records(&self, path: &str, begin: usize, most: usize) -> Vec<Result<Item, Problem>> {
        match &self.matter {
            Ok(matter) => {
                let sections = self.sections.iter().enumerate().skip(begin).take(most);
                sections.map(|(index, section)| item(path, index, section, matter)).collect()
            }
            Err(reason) if begin == 0 => {
                vec![Err(Problem { position: format!("{path}: front matter"), reason: reason.clone() })]
            }
            Err(_) => Vec::new(),
        }
    }
}

#[derive(Default)]
struct Reading {
    depth: usize,
    matter: String,
    in_matter: bool,
    in_heading: Option<(usize, String)>,
    open: Section,
    sections: Vec<Section>,
}

impl Reading {
    fn event(&mut self, event: Event, source: &str) {
        match event {
            Event::Start(Tag::MetadataBlock(MetadataBlockKind::YamlStyle)) => self.in_matter = true,
            Event::End(TagEnd::MetadataBlock(_)) => self.in_matter = false,
            Event::Text(text) if self.in_matter => self.matter.push_str(&text),
            Event::Start(Tag::Heading { level, .. }) if self.depth == 0 => {
                self.in_heading = Some((level_of(level), String::new()));
            }
            Event::End(TagEnd::Heading(_)) if self.in_heading.is_some() => self.heading(),
            Event::Start(_) => {
                if self.depth == 0 && self.in_heading.is_none() {
                    self.block(source);
                }
                self.depth += 1;
            }
            Event::End(_) => self.depth = self.depth.saturating_sub(1),
            Event::Text(text) | Event::Code(text) => self.heading_text(&text),
            Event::SoftBreak | Event::HardBreak => self.heading_text(" "),
            _ => {}
        }
    }

    fn heading_text(&mut self, text: &str) {
        if let Some((_, heading)) = &mut self.in_heading {
            heading.push_str(text);
        }
    }

    fn heading(&mut self) {
        self.close();
        let Some((level, text)) = self.in_heading.take() else { return };
        self.open.headings.retain(|(above, _)| *above < level);
        self.open.headings.push((level, text.trim().to_owned()));
    }

    fn block(&mut self, source: &str) {
        let source = source.trim_end();
        if !self.open.text.is_empty() && self.open.text.len() + source.len() > PART {
            self.close();
        }
        if !self.open.text.is_empty() {
            self.open.text.push_str("\n\n");
        }
        self.open.text.push_str(source);
    }

    fn close(&mut self) {
        if !self.open.text.trim().is_empty() {
            self.sections.push(self.open.clone());
        }
        self.open.text.clear();
    }
}

fn level_of(level: HeadingLevel) -> usize {
    level as usize
}

fn front_matter(text: &str) -> Result<Map<String, Value>, String> {
    if text.trim().is_empty() {
        return Ok(Map::new());
    }
    match yaml::parse(text) {
        Ok(Value::Object(matter)) => Ok(matter),
        Ok(_) => Err("It is no mapping of names to values.".to_owned()),
        Err(reason) => Err(format!("It is no YAML that can be read: {reason}.")),
    }
}

fn item(path: &str, index: usize, section: &Section, matter: &Map<String, Value>) -> Result<Item, Problem> {
    let headings: Vec<String> = section.headings.iter().map(|(_, heading)| heading.clone()).collect();
    let mut data = Map::new();
    let title = headings.last().map(String::as_str).or_else(|| matter.get("title").and_then(Value::as_str));
    data.insert("title".to_owned(), title.unwrap_or_default().into());
    data.insert("level".to_owned(), section.headings.last().map_or(0, |(level, _)| *level).into());
    data.insert("headings".to_owned(), headings.into());
    data.insert("text".to_owned(), section.text.clone().into());
    data.insert("front_matter".to_owned(), Value::Object(matter.clone()));
    record(format!("{path}: part {}", index + 1), Value::Object(data))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn records(path: &str, text: &str) -> Vec<Result<Item, Problem>> {
        let document = document(text);
        let records = document.records(path, 0, usize::MAX);
        assert_eq!(document.count(), records.len());
        records
    }

    fn told(text: &str) -> Vec<(String, String)> {
        let items = records("a.md", text).into_iter().map(|item| item.expect("an item"));
        items
            .map(|item| (item.data["headings"].to_string(), item.data["text"].as_str().expect("text").to_owned()))
            .collect()
    }

    #[test]
    fn each_heading_begins_a_record_below_those_above_it() {
        let text = "Before.\n\n# Guide\n\nIntro.\n\n## Install `it`\n\n- one\n- two\n\n```sh\n# no heading\n```\n\n\
                    # End\n\nBye.\n";
        let expected = [
            ("[]", "Before."),
            ("[\"Guide\"]", "Intro."),
            ("[\"Guide\",\"Install it\"]", "- one\n- two\n\n```sh\n# no heading\n```"),
            ("[\"End\"]", "Bye."),
        ];
        let expected = expected.map(|(headings, text)| (headings.to_owned(), text.to_owned()));
        assert_eq!(told(text), expected);
    }

    #[test]
    fn front_matter_is_with_every_record() {
        let items = records("a.md", "---\ntitle: Tea\ntags: [green, hot]\n---\n\nText.\n");
        let item = items[0].as_ref().expect("an item");
        assert_eq!(item.data["front_matter"], json!({"title": "Tea", "tags": ["green", "hot"]}));
        assert_eq!((item.position.as_str(), &item.data["title"]), ("a.md: part 1", &json!("Tea")));
    }

    #[test]
    fn front_matter_that_cannot_be_read_is_a_problem_and_a_rule_is_none() {
        let problem = records("a.md", "---\na: [\n---\n\nText.\n").remove(0).unwrap_err();
        assert!(problem.reason.starts_with("It is no YAML"), "{}", problem.reason);
        assert_eq!(problem.position, "a.md: front matter");
        assert_eq!(told("Text.\n\n---\n\nMore.\n").len(), 1);
    }

    #[test]
    fn long_sections_are_parted_between_blocks() {
        let paragraph = "word ".repeat(300);
        let text = format!("# Long\n\n{paragraph}\n\n{paragraph}\n\n{paragraph}\n\n{paragraph}\n");
        let parts = told(&text);
        assert_eq!(parts.len(), 2);
        assert!(parts.iter().all(|(headings, text)| headings == "[\"Long\"]" && text.len() <= PART));
    }
}
