//! Where in a JSON text a byte stands, as `rows[1].height`: the part of a parser's message that people look for.
//!
//! Only called for texts that a parser has accepted up to that byte. `serde_path_to_error` does the same by wrapping
//! every deserializer, which makes modules larger.

/// The keys and indexes that lead to what ends at `line` and `column`, both counted as serde_json does; empty for the
/// whole value.
pub(crate) fn place_of(json: &[u8], line: usize, column: usize) -> String {
    let before: usize = json.split_inclusive(|byte| *byte == b'\n').take(line.saturating_sub(1)).map(<[u8]>::len).sum();
    let end = before.saturating_add(column).min(json.len());
    let mut walk = Walk::default();
    let mut rest = json.get(..end).unwrap_or_default();
    while let Some((byte, after)) = rest.split_first() {
        rest = walk.step(*byte, after);
    }
    walk.path()
}

/// How much of a key is shown: whoever made the input chose it.
const LONGEST_KEY: usize = 64;

/// One step of the way down.
enum Step {
    Key(String),
    Index(usize),
}

#[derive(Default)]
struct Walk {
    steps: Vec<Step>,
    awaits_key: bool,
}

impl Walk {
    /// Go over `byte` and return what is left to go over.
    fn step<'a>(&mut self, byte: u8, after: &'a [u8]) -> &'a [u8] {
        match byte {
            b'{' => self.open(Step::Key(String::new()), true),
            b'[' => self.open(Step::Index(0), false),
            b'}' | b']' => self.close(),
            b',' => self.next(),
            b':' => self.awaits_key = false,
            b'"' => return self.text(after),
            _ => {}
        }
        after
    }

    fn open(&mut self, step: Step, awaits_key: bool) {
        self.steps.push(step);
        self.awaits_key = awaits_key;
    }

    fn close(&mut self) {
        self.steps.pop();
        self.awaits_key = false;
    }

    fn next(&mut self) {
        match self.steps.last_mut() {
            Some(Step::Index(index)) => *index += 1,
            Some(Step::Key(key)) => {
                key.clear();
                self.awaits_key = true;
            }
            None => {}
        }
    }

    /// Go over a text whose opening quote is passed; keep it where it is a key.
    fn text<'a>(&mut self, after: &'a [u8]) -> &'a [u8] {
        let mut escaped = false;
        let length = after.iter().position(|byte| {
            let ends = *byte == b'"' && !escaped;
            escaped = *byte == b'\\' && !escaped;
            ends
        });
        let (text, rest) = length.and_then(|length| after.split_at_checked(length)).unwrap_or((after, &[]));
        if let (true, Some(Step::Key(key))) = (self.awaits_key, self.steps.last_mut()) {
            *key = String::from_utf8_lossy(text).into_owned();
        }
        rest.get(1..).unwrap_or_default()
    }

    fn path(&self) -> String {
        let mut path = String::new();
        let named = if self.awaits_key { self.steps.len().saturating_sub(1) } else { self.steps.len() };
        for step in self.steps.iter().take(named) {
            match step {
                Step::Key(key) => {
                    if !path.is_empty() {
                        path.push('.');
                    }
                    path.extend(key.chars().take(LONGEST_KEY));
                }
                Step::Index(index) => {
                    path.push('[');
                    path.push_str(&index.to_string());
                    path.push(']');
                }
            }
        }
        path
    }
}
