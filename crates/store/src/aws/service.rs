//! Services of which single calls are made: what they are signed for, where they are, and how they are spoken to.

/// A service that speaks JSON.
#[derive(Clone, Copy, Debug)]
pub struct JsonService {
    /// What it is signed for.
    pub name: &'static str,
    /// What its hosts begin with: `{host}.{region}.amazonaws.com`.
    pub host: &'static str,
    /// What its actions begin with.
    pub target: &'static str,
    /// Of the protocol: 1.0 or 1.1.
    pub version: &'static str,
}

/// Elastic Container Registry.
pub const ECR: JsonService = JsonService {
    name: "ecr",
    host: "api.ecr",
    target: "AmazonEC2ContainerRegistry_V20150921",
    version: "1.1",
};
/// Elastic Container Service.
pub const ECS: JsonService = JsonService {
    name: "ecs",
    host: "ecs",
    target: "AmazonEC2ContainerServiceV20141113",
    version: "1.1",
};
/// CloudWatch.
pub const CLOUDWATCH: JsonService = JsonService {
    name: "monitoring",
    host: "monitoring",
    target: "GraniteServiceVersion20100801",
    version: "1.0",
};
/// Service Quotas.
pub const QUOTAS: JsonService = JsonService {
    name: "servicequotas",
    host: "servicequotas",
    target: "ServiceQuotasV20190624",
    version: "1.1",
};

/// Secrets Manager.
pub const SECRETS: JsonService = JsonService {
    name: "secretsmanager",
    host: "secretsmanager",
    target: "secretsmanager",
    version: "1.1",
};
/// Step Functions.
pub const STATES: JsonService = JsonService {
    name: "states",
    host: "states",
    target: "AWSStepFunctions",
    version: "1.0",
};

/// EventBridge.
pub const EVENTS: JsonService = JsonService {
    name: "events",
    host: "events",
    target: "AWSEvents",
    version: "1.1",
};

/// A service that takes forms and answers in XML.
#[derive(Clone, Copy, Debug)]
pub struct QueryService {
    /// What it is signed for, and what its hosts begin with.
    pub name: &'static str,
    /// Of its interface.
    pub version: &'static str,
}

/// Simple Notification Service.
pub const SNS: QueryService = QueryService {
    name: "sns",
    version: "2010-03-31",
};
/// Identity and Access Management.
pub(super) const IAM: QueryService = QueryService {
    name: "iam",
    version: "2010-05-08",
};

/// A service that takes JSON at paths of its own.
#[derive(Clone, Copy, Debug)]
pub struct RestService {
    /// What it is signed for.
    pub name: &'static str,
    /// What its hosts begin with.
    pub host: &'static str,
}

/// Simple Email Service.
pub const SES: RestService = RestService {
    name: "ses",
    host: "email",
};
/// Lambda.
pub(super) const LAMBDA: RestService = RestService {
    name: "lambda",
    host: "lambda",
};
