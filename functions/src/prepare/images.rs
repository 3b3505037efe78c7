//! Whether the image that a run's tasks need is there: found out before anything costs, not by tasks that cannot start.

use crate::account::Refused;
use crate::app::App;
use crate::error::{FunctionError, Result};
use crate::stack_config::StackConfig;
use floodgate_core::cost::Architecture;
use floodgate_records::word::Word;
use floodgate_store::aws::ecr::ImageName;

/// Refuses a run whose image is not in its repository, or not for the processor of its tasks. Images that lie elsewhere
/// (`engines.image` of the module) are their owner's business; what cannot be found out is a warning.
pub(super) async fn image(
    app: &App,
    placement: &StackConfig,
    engine: &str,
    architecture: &Word<Architecture>,
) -> Result<Vec<String>> {
    let Some(name) = placement.images.get(engine) else {
        return Ok(Vec::new());
    };
    let Some(parsed) = ImageName::parse(name) else {
        return Ok(vec![format!(
            "image {name} of engine {engine} isn't in an ECR repository, so it wasn't checked"
        )]);
    };
    let processor = match architecture.known() {
        Some(known) => known.container(),
        None => architecture.as_str(),
    };
    let stack = &app.config.stack;
    let remedy = format!(
        "push it with `floodgate deploy --stack {stack} --region {} --engine {engine} --arch {architecture}`, or with docker (docs/aws.md, \
         \"The image\")",
        app.config.bucket_region
    );
    let of = |problem: String| {
        Err(FunctionError::errored(format!(
            "engine {engine}: image {name} {problem}; {remedy}"
        )))
    };
    match app.account.image(&parsed).await {
        Ok(processors) if processors.iter().any(|found| found == processor) => Ok(Vec::new()),
        Ok(processors) if processors.is_empty() => of(format!(
            "names no processor, and the tasks have {processor}"
        )),
        Ok(processors) => of(format!(
            "was built for {}, but the tasks use {processor}",
            processors.join(", ")
        )),
        Err(Refused::Missing(_)) => of("is not in its repository".to_owned()),
        Err(Refused::Unknown(problem)) => Ok(vec![format!(
            "whether image {name} of engine {engine} is there could not be checked: {problem}"
        )]),
    }
}
