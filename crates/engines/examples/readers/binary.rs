//! A binary log of Gatling, layout of 3.13 to 3.15: four requests, every other in a group, one in a hundred failed, and each tenth
//! record the start or end of a user.

use crate::{Labels, Source};

const START_MS: i64 = 1_795_330_000_000;
/// Records that are written at once.
const RECORDS: u64 = 2_000;
/// Records in a millisecond of the log.
const A_MS: u64 = 20;

const NAMES: [&str; 4] = ["home", "search", "item", "checkout"];
const GROUP: &str = "cart";
const MESSAGE: &str = "status.find.is(200), but actually found 503";

pub(crate) struct Log {
    labels: Labels,
    /// The strings so far, by place; names that are used once are only counted.
    known: Vec<&'static str>,
    strings: i32,
    records: u64,
}

impl Log {
    pub(crate) fn new(labels: Labels) -> Self {
        Self {
            labels,
            known: Vec::new(),
            strings: 0,
            records: 0,
        }
    }

    fn new_string(&mut self, out: &mut Vec<u8>, text: &str) {
        self.strings += 1;
        out.extend_from_slice(&self.strings.to_be_bytes());
        string(out, text);
    }

    /// Known strings are the first ones, so that their places are their numbers.
    fn cached(&mut self, out: &mut Vec<u8>, text: &'static str) {
        match self.known.iter().position(|known| *known == text) {
            Some(at) => out.extend_from_slice(&(-(at as i32) - 1).to_be_bytes()),
            None => {
                assert_eq!(self.known.len() as i32, self.strings);
                self.known.push(text);
                self.new_string(out, text);
            }
        }
    }

    fn record(&mut self, out: &mut Vec<u8>) {
        let number = self.records;
        self.records += 1;
        let at = i32::try_from(number / A_MS).unwrap();
        // The first requests make the strings known.
        let early = number < 2 * NAMES.len() as u64;
        if number % 10 == 9 && !early {
            out.extend_from_slice(&[2, 0, 0, 0, 0, u8::from(number / 10 % 2 == 1)]);
            out.extend_from_slice(&at.to_be_bytes());
            return;
        }
        let grouped = number.is_multiple_of(2);
        out.push(1);
        out.extend_from_slice(&i32::from(grouped).to_be_bytes());
        if grouped {
            self.cached(out, GROUP);
        }
        let name = NAMES[number as usize % NAMES.len()];
        if early || self.labels == Labels::Same {
            self.cached(out, name);
        } else {
            let name = self.labels.prefix(number) + name;
            self.new_string(out, &name);
        }
        let took = 3 + (number * 7_919 % 250) as i32;
        let passed = number % 100 != 3;
        out.extend_from_slice(&at.to_be_bytes());
        out.extend_from_slice(&(at + took).to_be_bytes());
        out.push(u8::from(passed));
        self.cached(out, if passed { "" } else { MESSAGE });
    }
}

impl Source for Log {
    fn head(&self) -> Vec<u8> {
        let mut out = vec![0];
        string(&mut out, "3.15.1");
        string(&mut out, "shop.Bench");
        out.extend_from_slice(&START_MS.to_be_bytes());
        string(&mut out, "");
        out.extend_from_slice(&1i32.to_be_bytes());
        string(&mut out, "buy");
        out.extend_from_slice(&0i32.to_be_bytes());
        out
    }

    fn more(&mut self, out: &mut Vec<u8>) -> u64 {
        for _ in 0..RECORDS {
            self.record(out);
        }
        RECORDS
    }

    fn foot(&self) -> &'static [u8] {
        b""
    }
}

fn string(out: &mut Vec<u8>, text: &str) {
    out.extend_from_slice(&(text.len() as i32).to_be_bytes());
    if !text.is_empty() {
        out.extend_from_slice(text.as_bytes());
        out.push(0);
    }
}
