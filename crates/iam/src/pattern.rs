//! Patterns with `*` and `?`, and policy variables in them.

use crate::error::Error;
use crate::request::Request;

/// What a pattern is made of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Token {
    /// This character and no other.
    Exactly(char),
    /// `?`: one character.
    One,
    /// `*`: any characters, slashes and colons too, and none.
    Any,
}

/// Whether a text fits a pattern, by case. What stands there as `${…}` is text.
pub fn like(pattern: &str, text: &str) -> bool {
    fits(&tokens(pattern), text)
}

/// The tokens of a pattern without variables.
pub(crate) fn tokens(pattern: &str) -> Vec<Token> {
    let token = |c| match c {
        '*' => Token::Any,
        '?' => Token::One,
        c => Token::Exactly(c),
    };
    pattern.chars().map(token).collect()
}

/// Whether a text fits, without recursion: a star that is met again takes over from the one before it.
pub(crate) fn fits(pattern: &[Token], text: &str) -> bool {
    let text: Vec<char> = text.chars().collect();
    let (mut p, mut t) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while t < text.len() {
        match pattern.get(p) {
            Some(Token::Any) => {
                star = Some((p, t));
                p += 1;
                continue;
            }
            Some(Token::One) => {
                (p, t) = (p + 1, t + 1);
                continue;
            }
            Some(Token::Exactly(c)) if *c == text[t] => {
                (p, t) = (p + 1, t + 1);
                continue;
            }
            _ => {}
        }
        let Some((at, from)) = star else {
            return false;
        };
        star = Some((at, from + 1));
        (p, t) = (at + 1, from + 1);
    }
    pattern[p..].iter().all(|token| *token == Token::Any)
}

/// A pattern whose variables are filled in from a request. `None` if the request does not have one of them: then AWS takes the statement
/// for one that does not apply. What a variable stands for is text, and no pattern.
/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html>
pub(crate) fn resolved(pattern: &str, request: &Request) -> Option<Vec<Token>> {
    let mut found = Vec::new();
    let mut rest = pattern;
    while let Some((before, variable)) = rest.split_once("${") {
        found.extend(tokens(before));
        let (inside, after) = variable.split_once('}')?;
        let text = match inside {
            // So are these three characters written.
            "*" | "?" | "$" => inside.to_owned(),
            _ => value(inside, request)?,
        };
        found.extend(text.chars().map(Token::Exactly));
        rest = after;
    }
    found.extend(tokens(rest));
    Some(found)
}

fn value(variable: &str, request: &Request) -> Option<String> {
    let (key, default) = parts(variable);
    match request.values(key) {
        [one] => Some(one.clone()),
        _ => default.map(str::to_owned),
    }
}

/// `key` or `key, 'default'`.
fn parts(variable: &str) -> (&str, Option<&str>) {
    match variable.split_once(',') {
        Some((key, default)) => {
            let default = default.trim().strip_prefix('\'');
            (key.trim(), default.and_then(|text| text.strip_suffix('\'')))
        }
        None => (variable.trim(), None),
    }
}

/// Refuses a pattern whose variables are not written as AWS wants them.
pub(crate) fn check(pattern: &str) -> Result<(), Error> {
    let mut rest = pattern;
    while let Some((_, variable)) = rest.split_once("${") {
        let (inside, after) = variable
            .split_once('}')
            .ok_or_else(|| Error::Variable(pattern.to_owned()))?;
        let (key, default) = parts(inside);
        let is_character = matches!(inside, "*" | "?" | "$");
        if !is_character && (!key.contains(':') || inside.contains(',') && default.is_none()) {
            return Err(Error::Variable(pattern.to_owned()));
        }
        rest = after;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Caller;

    #[test]
    fn stars_stand_for_anything_and_question_marks_for_one_character() {
        for (pattern, text) in [
            ("*", ""),
            ("*", "a/b:c"),
            ("a*c", "ac"),
            ("a*c*e", "abcde"),
            ("a-??????", "a-AbCdEf"),
            ("*b", "*ab"),
            ("a?", "aé"),
            ("*.*", "a.b.c"),
        ] {
            assert!(like(pattern, text), "{pattern} {text}");
        }
        for (pattern, text) in [
            ("", "a"),
            ("a", ""),
            ("a", "A"),
            ("a?", "a"),
            ("a*c", "acb"),
            ("a-??????", "a-AbCde"),
        ] {
            assert!(!like(pattern, text), "{pattern} {text}");
        }
    }

    #[test]
    fn a_pattern_of_many_stars_is_quick() {
        assert!(!like(&"*a".repeat(40), &"a".repeat(2_000)[..39]));
        assert!(!like(&format!("{}b", "*a".repeat(40)), &"a".repeat(5_000)));
    }

    #[test]
    fn variables_are_text_and_may_have_a_default() {
        let request = Request::new(Caller::role("arn:aws:iam::1:role/r", "s"), "s3:a", "*")
            .with("aws:PrincipalTag/team", "a*b")
            .with("aws:TagKeys", "x")
            .with("aws:TagKeys", "y");
        let fitted = |pattern: &str, text: &str| {
            check(pattern)
                .ok()
                .and_then(|()| resolved(pattern, &request).map(|pattern| fits(&pattern, text)))
        };
        assert_eq!(
            fitted("p/${aws:principaltag/TEAM}/*", "p/a*b/x"),
            Some(true)
        );
        assert_eq!(
            fitted("p/${aws:PrincipalTag/team}/*", "p/aXb/x"),
            Some(false)
        );
        assert_eq!(fitted("p/${aws:username, 'all'}", "p/all"), Some(true));
        assert_eq!(
            fitted("p/${aws:username}", "p/"),
            None,
            "not in the request"
        );
        assert_eq!(fitted("p/${aws:TagKeys}", "p/x"), None, "has two values");
        assert_eq!(fitted("p${*}${?}${$}", "p*?$"), Some(true));
        assert_eq!(fitted("p${*}", "px"), Some(false));
        for wrong in [
            "${aws:username",
            "${username}",
            "${aws:username, all}",
            "${}",
        ] {
            assert!(check(wrong).is_err(), "{wrong}");
        }
    }
}
