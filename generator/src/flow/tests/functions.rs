//! What functions of templates give, and that samples leave out what they made of secrets.

use super::support::*;
use crate::flow::data::Table;
use crate::flow::encode::Encoding;
use crate::flow::files::Files;
use crate::flow::symbols::SymbolTable;
use crate::flow::text::{Scope, Text};
use crate::flow::{Given, Place};
use floodgate_core::definition::*;
use floodgate_core::template::{Call, Function, Part as TemplatePart, Template, Variable};

/// A template rendered in iteration 41 of VU 7, and what samples leave out.
fn rendered(text: &str, encoding: Encoding) -> (String, Vec<String>) {
    let template = Template::parse(text).unwrap();
    let definition = definition(vec![step(get("/"))]);
    let place = Place {
        execution: "",
        task: 3,
        given: &Given::new(),
    };
    let files = Files::default();
    let names = SymbolTable::collect(&definition, &definition.scenarios[0], place, files.tables());
    let compiled = Text::compile(&template, &names.unwrap(), encoding).unwrap();
    let (mut rng, mut hidden) = (fastrand::Rng::with_seed(1), Vec::new());
    let tables: [std::sync::Arc<Table>; 0] = [];
    let text = compiled.rendered(&mut Scope {
        vu: 7,
        iteration: 41,
        locals: &[],
        rows: &[],
        tables: &tables,
        rng: &mut rng,
        hidden: &mut hidden,
    });
    (text, hidden)
}

fn raw(text: &str) -> String {
    rendered(text, Encoding::Raw).0
}

#[test]
fn functions_give_what_their_sources_say() {
    for (text, expected) in [
        // RFC 4648 §10.
        ("${base64('foobar')}", "Zm9vYmFy"),
        ("${base64('fooba')}", "Zm9vYmE="),
        ("${base64(\"\")}", ""),
        ("${base64('${vu}:${iteration}')}", "Nzo0MQ=="),
        // FIPS 180-4, example of one block.
        (
            "${sha256('abc')}",
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
        ),
        (
            "${sha256('abc', 'base64')}",
            "ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=",
        ),
        // RFC 4231 §4.3.
        (
            "${hmacSha256('Jefe', 'what do ya want for nothing?')}",
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
        ),
        ("${jsonEscape('a\"b\\\\')}", "a\\\"b\\\\"),
        ("${randomOf('only')}", "only"),
        ("${dateAdd(0s, 'at %%')}", "at %"),
    ] {
        assert_eq!(raw(text), expected, "{text}");
    }
}

#[test]
fn times_from_now_are_near_it() {
    let year = |text: &str| raw(text).parse::<i32>().unwrap();
    assert_eq!(
        year("${dateAdd(366d, '%Y')}") - year("${dateAdd(-366d, '%Y')}"),
        2
    );
    assert_eq!(
        raw("${dateAdd(1h)}").len(),
        "2026-01-01T00:00:00.000Z".len()
    );
}

#[test]
fn one_of_several_is_chosen_by_the_iteration() {
    let mut world = World::new(vec![
        Step::Set(vec![(
            "c".into(),
            Template::parse("${randomOf('a', 'b', vu)}").unwrap(),
        )]),
        step(get("/${c}")),
    ]);
    let chosen = |world: &mut World, n| {
        world.io.sent.clear();
        world.run(n).unwrap();
        world.io.sent[0]
            .path_and_query
            .rsplit('/')
            .next()
            .unwrap()
            .to_owned()
    };
    let first: Vec<_> = (0..90).map(|n| chosen(&mut world, n)).collect();
    let again: Vec<_> = (0..90).map(|n| chosen(&mut world, n)).collect();
    assert_eq!(first, again);
    for value in ["a", "b", "7"] {
        assert!(
            first.iter().filter(|c| *c == value).count() > 10,
            "{first:?}"
        );
    }
}

#[test]
fn a_hash_in_json_is_a_text_whatever_its_digits() {
    assert_eq!(rendered("${base64('')}", Encoding::JsonValue).0, "\"\"");
    // "MTI=" has none, but four digits in Base64 may stand alone: "1234" is the text of three bytes.
    assert_eq!(
        rendered("${base64('×m')}", Encoding::JsonValue).0,
        "\"w5dt\""
    );
    assert_eq!(rendered("${randomOf(5)}", Encoding::JsonValue).0, "5");
}

/// A call that was given a secret, as a definition makes it.
fn of_secret(function: Function, arguments: &[&str]) -> Template {
    let arguments = arguments.iter().map(|text| Template::parse(text).unwrap());
    let call = Call {
        function,
        arguments: arguments.collect(),
        secret: true,
    };
    Template {
        parts: vec![TemplatePart::Variable(Variable::Call(Box::new(call)))],
        source: "${…}".into(),
    }
}

#[test]
fn samples_leave_out_what_was_made_of_secrets() {
    let signed = Step::Set(vec![(
        "signature".into(),
        of_secret(Function::Base64, &["s3cr3t:${iteration}"]),
    )]);
    let request = RequestStep {
        params: pairs(&[("sign", "${signature}"), ("open", "visible")]),
        body: Body::Json(JsonTemplate::String(of_secret(
            Function::Base64,
            &["other s3cr3t?>"],
        ))),
        ..get("/x")
    };
    let mut world = World::new(vec![signed, step(request)]);
    world.log.borrow_mut().samples = Some(Vec::new());
    world.run(41).unwrap();
    let sent = &world.io.sent[0];
    assert!(sent.path_and_query.contains("czNjcjN0OjQx"), "{sent:?}");
    let log = world.log.borrow();
    let shown = format!("{:?}", log.samples);
    assert!(
        shown.contains("visible") && shown.contains("***"),
        "{shown}"
    );
    for hidden in ["czNjcjN0OjQx", "b3RoZXIgczNjcjN0Pz4="] {
        assert!(!shown.contains(hidden), "{shown}");
    }
}
