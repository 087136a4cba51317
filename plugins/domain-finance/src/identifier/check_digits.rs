//! Check digits: the three sums that the identifiers carry. Each takes capitals and digits; others count as 0.

/// The remainder by 97 of a text in which letters stand for 10 to 35 (ISO 7064 MOD 97-10). 1 for a right IBAN or LEI.
pub fn remainder_97(text: impl Iterator<Item = char>) -> u32 {
    text.fold(0, |sum, c| {
        let value = value_of(c);
        (sum * if value < 10 { 10 } else { 100 } + value) % 97
    })
}

/// The two digits that make the remainder of a text 1, where `00` stands in their place.
pub fn digits_97(text_with_zeros: impl Iterator<Item = char>) -> String {
    format!("{:02}", 98 - remainder_97(text_with_zeros))
}

/// The last digit that a number without it asks for (Luhn, ISO/IEC 7812-1). Letters stand for 10 to 35.
pub fn luhn(number: &str) -> u32 {
    let digits: Vec<u32> = number.chars().flat_map(|c| digits_of(value_of(c))).collect();
    let sum: u32 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(place, digit)| if place % 2 == 0 { digit * 2 / 10 + digit * 2 % 10 } else { *digit })
        .sum();
    (10 - sum % 10) % 10
}

fn digits_of(value: u32) -> impl Iterator<Item = u32> {
    (value >= 10).then_some(value / 10).into_iter().chain([value % 10])
}

fn value_of(c: char) -> u32 {
    c.to_digit(36).unwrap_or(0)
}
