//! A flow whose requests are made once each, as far as its conditions allow.

use floodgate_core::definition::{Branch, Each, Repeat, Step, Way};

/// Loops have one pass, unless a condition ends them, and all ways of a choice are gone, one after the other.
pub(super) fn each_once(steps: &[Step]) -> Vec<Step> {
    let mut once = Vec::with_capacity(steps.len());
    for step in steps {
        match step {
            Step::Request(_) | Step::Think { .. } | Step::Set(_) | Step::Stop => {
                once.push(step.clone());
            }
            Step::Group { name, steps } => once.push(Step::Group {
                name: name.clone(),
                steps: each_once(steps),
            }),
            Step::Repeat(repeat) => once.push(Step::Repeat(Box::new(Repeat {
                most: match repeat.condition {
                    Some(_) => repeat.most,
                    None => repeat.most.min(1),
                },
                condition: repeat.condition.clone(),
                steps: each_once(&repeat.steps),
            }))),
            Step::If(branch) => once.push(Step::If(Box::new(Branch {
                condition: branch.condition.clone(),
                steps: each_once(&branch.steps),
                otherwise: each_once(&branch.otherwise),
            }))),
            Step::Each(each) => once.push(Step::Each(Box::new(Each {
                most: each.most.min(1),
                steps: each_once(&each.steps),
                ..Each::clone(each)
            }))),
            Step::Choose(ways) => {
                let ways = ways.iter().map(|Way { steps, .. }| each_once(steps));
                once.extend(ways.flat_map(without_stop));
            }
        }
    }
    once
}

/// The end of an iteration on one way is not that of the others.
fn without_stop(steps: Vec<Step>) -> Vec<Step> {
    let on = |steps: Vec<Step>| without_stop(steps);
    let kept = steps.into_iter().filter(|step| *step != Step::Stop);
    kept.map(|step| match step {
        Step::Group { name, steps } => Step::Group {
            name,
            steps: on(steps),
        },
        Step::Repeat(mut repeat) => {
            repeat.steps = on(std::mem::take(&mut repeat.steps));
            Step::Repeat(repeat)
        }
        Step::If(mut branch) => {
            branch.steps = on(std::mem::take(&mut branch.steps));
            branch.otherwise = on(std::mem::take(&mut branch.otherwise));
            Step::If(branch)
        }
        Step::Each(mut each) => {
            each.steps = on(std::mem::take(&mut each.steps));
            Step::Each(each)
        }
        other => other,
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use floodgate_core::definition::{Definition, Overrides, Resolver, Source, parse};

    struct Nothing;

    impl Resolver for Nothing {
        fn env(&self, _: &str) -> Option<String> {
            None
        }
        fn secret(&self, _: &str) -> Result<String, String> {
            Err(String::new())
        }
        fn file_exists(&self, _: &str) -> bool {
            true
        }
    }

    fn definition(flow: &str) -> Definition {
        let text = format!(
            "version: 1\ntest: t\ntarget: http://a.example\nscenarios:\n  s: {{executor: constant-vus, duration: 1s, flow: {flow}}}\n"
        );
        let source = Source {
            name: "t.yaml",
            text: text.as_bytes(),
        };
        let parsed = parse(&source, &Overrides::default(), &Nothing);
        parsed
            .unwrap_or_else(|faults| panic!("{faults}"))
            .definition
    }

    fn shown(steps: &[Step]) -> String {
        let shown = steps.iter().map(|step| match step {
            Step::Request(request) => request.url.source.clone(),
            Step::Repeat(repeat) => format!("{}x({})", repeat.most, shown(&repeat.steps)),
            Step::Each(each) => format!("{}of({})", each.most, shown(&each.steps)),
            Step::If(branch) => {
                format!("if({})({})", shown(&branch.steps), shown(&branch.otherwise))
            }
            Step::Stop => "stop".to_owned(),
            other => format!("{other:?}"),
        });
        shown.collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn requests_are_made_once_each() {
        let flow = r#"[
            {repeat: 5, steps: [{get: /a}]},
            {repeat: {while: '$.open == true', max: 9}, steps: [{get: /b}]},
            {choose: [{weight: 9, steps: [{get: /c}, {if: status == 200, steps: [{stop: iteration}], else: [{get: /d}]}, {stop: iteration}]}, {steps: [{get: /e}]}]},
            {each: '$.items[*]', max: 50, steps: [{get: /f}]},
            {if: status == 404, steps: [{stop: iteration}]},
        ]"#;
        let once = each_once(&definition(flow).scenarios[0].flow);
        assert_eq!(
            shown(&once),
            "1x(/a) 9x(/b) /c if()(/d) /e 1of(/f) if(stop)()"
        );
    }
}
