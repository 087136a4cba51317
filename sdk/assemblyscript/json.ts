// JSON for plugins in AssemblyScript, where an exception ends the module: what is wrong is null, never a throw.
//
// It reads what RFC 8259 says, up to 64 levels deep. A number is its own text.

export enum Kind { Null, Bool, Number, Text, List, Object }

const DEEPEST: i32 = 64;
const ABSENT = new Json();

export class Json {
  kind: Kind = Kind.Null;
  flag: bool = false; // of Bool
  text: string = ""; // of Text, decoded, and of Number
  keys: string[] = []; // of Object
  items: Json[] = []; // of List and Object

  // The value of a JSON text; null where it is none.
  static parse(text: string): Json | null {
    return new Reader(text).whole();
  }

  static of(text: string): Json {
    const value = new Json();
    value.kind = Kind.Text;
    value.text = text;
    return value;
  }

  static bool(flag: bool): Json {
    const value = new Json();
    value.kind = Kind.Bool;
    value.flag = flag;
    return value;
  }

  static number(value: f64): Json {
    const number = new Json();
    if (isFinite(value)) {
      number.kind = Kind.Number;
      const whole = i64(value);
      number.text = f64(whole) == value && abs(value) < 9e15 ? whole.toString() : value.toString();
    }
    return number;
  }

  static list(): Json {
    const value = new Json();
    value.kind = Kind.List;
    return value;
  }

  static object(): Json {
    const value = new Json();
    value.kind = Kind.Object;
    return value;
  }

  // The last member called `key`; of the kind Null where there is none.
  at(key: string): Json {
    const found = this.keys.lastIndexOf(key);
    return found < 0 ? ABSENT : this.items[found];
  }

  // Add a member to an object.
  set(key: string, value: Json): Json {
    this.keys.push(key);
    this.items.push(value);
    return this;
  }

  // Add an item to a list.
  push(value: Json): Json {
    this.items.push(value);
    return this;
  }

  toString(): string {
    if (this.kind == Kind.Null) return "null";
    if (this.kind == Kind.Bool) return this.flag ? "true" : "false";
    if (this.kind == Kind.Number) return this.text;
    if (this.kind == Kind.Text) return quoted(this.text);
    const parts: string[] = [];
    for (let i = 0; i < this.items.length; i++) {
      const item = this.items[i].toString();
      parts.push(this.kind == Kind.Object ? quoted(this.keys[i]) + ":" + item : item);
    }
    return this.kind == Kind.Object ? "{" + parts.join(",") + "}" : "[" + parts.join(",") + "]";
  }
}

function quoted(text: string): string {
  const parts: string[] = ['"'];
  let from = 0;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (unit >= 0x20 && unit != 0x22 && unit != 0x5c && !isHalf(text, i)) continue;
    parts.push(text.substring(from, i));
    parts.push("\\u" + unit.toString(16).padStart(4, "0"));
    from = i + 1;
  }
  parts.push(text.substring(from));
  parts.push('"');
  return parts.join("");
}

// Whether a unit is half of a surrogate pair without the other half, which UTF-8 cannot say.
function isHalf(text: string, at: i32): bool {
  const unit = text.charCodeAt(at) & 0xfc00;
  if (unit == 0xd800) return at + 1 >= text.length || (text.charCodeAt(at + 1) & 0xfc00) != 0xdc00;
  return unit == 0xdc00 && (at == 0 || (text.charCodeAt(at - 1) & 0xfc00) != 0xd800);
}

class Reader {
  at: i32 = 0;

  constructor(private text: string) {}

  whole(): Json | null {
    const value = this.value(0);
    this.blanks();
    return this.at == this.text.length ? value : null;
  }

  private unit(): i32 {
    return this.at < this.text.length ? this.text.charCodeAt(this.at) : -1;
  }

  private take(unit: i32): bool {
    if (this.unit() != unit) return false;
    this.at++;
    return true;
  }

  private blanks(): void {
    while (this.take(0x20) || this.take(0x09) || this.take(0x0a) || this.take(0x0d)) continue;
  }

  private value(depth: i32): Json | null {
    this.blanks();
    if (depth > DEEPEST) return null;
    if (this.take(0x7b)) return this.members(Json.object(), 0x7d, depth + 1);
    if (this.take(0x5b)) return this.members(Json.list(), 0x5d, depth + 1);
    if (this.unit() == 0x22) return this.string();
    if (this.word("true")) return Json.bool(true);
    if (this.word("false")) return Json.bool(false);
    if (this.word("null")) return new Json();
    return this.number();
  }

  private members(into: Json, last: i32, depth: i32): Json | null {
    this.blanks();
    if (this.take(last)) return into;
    do {
      if (into.kind == Kind.Object) {
        this.blanks();
        const key = this.string();
        this.blanks();
        if (key == null || !this.take(0x3a)) return null;
        into.keys.push(key.text);
      }
      const item = this.value(depth);
      if (item == null) return null;
      into.items.push(item);
      this.blanks();
    } while (this.take(0x2c));
    return this.take(last) ? into : null;
  }

  private word(word: string): bool {
    if (!this.text.startsWith(word, this.at)) return false;
    this.at += word.length;
    return true;
  }

  private digits(): bool {
    const start = this.at;
    while (this.unit() >= 0x30 && this.unit() <= 0x39) this.at++;
    return this.at > start;
  }

  private number(): Json | null {
    const start = this.at;
    this.take(0x2d);
    if (!this.take(0x30) && !this.digits()) return null;
    if (this.take(0x2e) && !this.digits()) return null;
    if (this.take(0x65) || this.take(0x45)) {
      if (!this.take(0x2b)) this.take(0x2d);
      if (!this.digits()) return null;
    }
    const value = new Json();
    value.kind = Kind.Number;
    value.text = this.text.substring(start, this.at);
    return value;
  }

  private string(): Json | null {
    if (!this.take(0x22)) return null;
    const parts: string[] = [];
    let from = this.at;
    while (this.unit() >= 0x20 && this.unit() != 0x22) {
      if (this.unit() != 0x5c) {
        this.at++;
        continue;
      }
      parts.push(this.text.substring(from, this.at));
      this.at++;
      const unit = this.escaped();
      if (unit < 0) return null;
      parts.push(String.fromCharCode(unit));
      from = this.at;
    }
    parts.push(this.text.substring(from, this.at));
    return this.take(0x22) ? Json.of(parts.join("")) : null;
  }

  // The UTF-16 unit that an escape stands for, or -1.
  private escaped(): i32 {
    const letter = this.unit();
    this.at++;
    if (letter == 0x22 || letter == 0x5c || letter == 0x2f) return letter;
    if (letter == 0x62) return 0x08;
    if (letter == 0x66) return 0x0c;
    if (letter == 0x6e) return 0x0a;
    if (letter == 0x72) return 0x0d;
    if (letter == 0x74) return 0x09;
    return letter == 0x75 ? this.hexadecimal() : -1;
  }

  private hexadecimal(): i32 {
    let value = 0;
    for (let i = 0; i < 4; i++) {
      const unit = this.unit();
      const lower = unit | 0x20;
      const digit = unit >= 0x30 && unit <= 0x39 ? unit - 0x30 : lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : -1;
      if (digit < 0) return -1;
      value = value * 16 + digit;
      this.at++;
    }
    return value;
  }
}
