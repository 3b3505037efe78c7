//! Templates of paths: `/pets/{id}`, `/files/{name}.{ext}`.

use percent_encoding::percent_decode_str;
use std::borrow::Cow;

#[derive(Clone, Debug)]
pub(crate) struct PathTemplate {
    segments: Vec<Segment>,
}

/// What stands between two slashes.
#[derive(Clone, Debug)]
struct Segment(Vec<Piece>);

#[derive(Clone, Debug)]
enum Piece {
    Literal(String),
    /// At least one character.
    Parameter,
}

impl PathTemplate {
    pub(crate) fn parse(path: &str) -> Self {
        let segments = path.split('/').skip(1);
        Self {
            segments: segments.map(Segment::parse).collect(),
        }
    }

    /// Whether a path of a request is one of these. It begins with a slash.
    pub(crate) fn takes(&self, path: &str) -> bool {
        let mut given = path.split('/').skip(1);
        let all = self.segments.iter().all(|segment| {
            let text = given
                .next()
                .map(|text| percent_decode_str(text).decode_utf8_lossy());
            text.is_some_and(|text: Cow<'_, str>| segment.takes(&text))
        });
        all && given.next().is_none()
    }

    /// Orders templates: of two that take one path, the more concrete has the lower rank.
    pub(crate) fn rank(&self) -> Vec<u8> {
        self.segments.iter().map(Segment::rank).collect()
    }
}

impl Segment {
    fn parse(text: &str) -> Self {
        let (mut pieces, mut rest) = (Vec::new(), text);
        while let Some((before, (_, after))) = rest
            .split_once('{')
            .and_then(|(before, after)| Some((before, after.split_once('}')?)))
        {
            if !before.is_empty() {
                pieces.push(Piece::Literal(before.to_owned()));
            }
            pieces.push(Piece::Parameter);
            rest = after;
        }
        if !rest.is_empty() {
            pieces.push(Piece::Literal(rest.to_owned()));
        }
        Self(pieces)
    }

    fn rank(&self) -> u8 {
        match self.0.as_slice() {
            [] | [Piece::Literal(_)] => 0,
            [Piece::Parameter] => 2,
            _ => 1,
        }
    }

    /// The first place of a literal is as good as any: what is left can only be more.
    fn takes(&self, text: &str) -> bool {
        let (mut rest, mut open) = (text, false);
        for (number, piece) in self.0.iter().enumerate() {
            match piece {
                Piece::Parameter => {
                    let Some(first) = rest.chars().next() else {
                        return false;
                    };
                    (rest, open) = (&rest[first.len_utf8()..], true);
                }
                Piece::Literal(literal) if !open => match rest.strip_prefix(literal.as_str()) {
                    Some(after) => rest = after,
                    None => return false,
                },
                Piece::Literal(literal) if number + 1 == self.0.len() => {
                    return rest.ends_with(literal.as_str());
                }
                Piece::Literal(literal) => match rest.split_once(literal.as_str()) {
                    Some((_, after)) => (rest, open) = (after, false),
                    None => return false,
                },
            }
        }
        open || rest.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn takes(template: &str, path: &str) -> bool {
        PathTemplate::parse(template).takes(path)
    }

    #[test]
    fn segments_are_literal_or_filled_in() {
        assert!(takes("/", "/"));
        assert!(takes("/pets/{id}", "/pets/7"));
        assert!(takes("/pets/{id}", "/pets/a%2Fb"), "one segment, encoded");
        assert!(!takes("/pets/{id}", "/pets/"), "a parameter is not empty");
        assert!(!takes("/pets/{id}", "/pets/7/toys"));
        assert!(!takes("/pets/{id}", "/pets"));
        assert!(takes("/a b", "/a%20b"));
    }

    #[test]
    fn parameters_may_stand_beside_text() {
        assert!(takes("/files/{name}.{ext}", "/files/a.b.tar"));
        assert!(!takes("/files/{name}.{ext}", "/files/.tar"));
        assert!(takes("/repos/{base}...{head}", "/repos/main...fix"));
        assert!(takes("/v{n}:run", "/v1:run:run"));
        assert!(!takes("/v{n}:run", "/v:run"));
        assert!(takes("/{a}{b}", "/xy") && !takes("/{a}{b}", "/x"));
    }

    proptest! {
        #[test]
        fn what_was_filled_in_is_taken(values in prop::collection::vec("[a-z.é-]{1,5}", 1..4)) {
            let template: String = (0..values.len()).map(|n| format!("/s{n}-{{p{n}}}.x")).collect();
            let path: String = values.iter().enumerate().map(|(n, v)| format!("/s{n}-{v}.x")).collect();
            prop_assert!(takes(&template, &path), "{template} {path}");
        }
    }
}
