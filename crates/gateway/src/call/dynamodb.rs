//! DynamoDB (<https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazondynamodb.html>), with
//! `dynamodb:LeadingKeys`, the values of the partition key.

use super::request::{Call, Check, Question, Unknown, text};
use serde_json::{Value, json};

/// A table's own keys have to be known to tell which of a request's values is the partition key's.
pub(super) fn question(call: &Call<'_>) -> Result<Question, Unknown> {
    let body = call.json()?;
    let tables = tables(call, &body);
    match tables.as_slice() {
        [table] => Ok(Question {
            target: "DynamoDB_20120810.DescribeTable".into(),
            body: json!({ "TableName": table }),
        }),
        _ => Err(Unknown(format!(
            "dynamodb: {} of the tables {tables:?}",
            call.operation()
        ))),
    }
}

fn tables(call: &Call<'_>, body: &Value) -> Vec<String> {
    let mut all: Vec<String> = match call.operation() {
        "BatchGetItem" | "BatchWriteItem" => {
            let items = body["RequestItems"].as_object().into_iter().flatten();
            items.map(|(table, _)| table.clone()).collect()
        }
        "TransactWriteItems" | "TransactGetItems" => {
            let items = transacted(body);
            items
                .map(|(_, item)| text(item, "TableName").to_owned())
                .collect()
        }
        _ => vec![text(body, "TableName").to_owned()],
    };
    all.sort_unstable();
    all.dedup();
    all
}

/// The kind of each part of a transaction (`Put`), and the part.
fn transacted(body: &Value) -> impl Iterator<Item = (&String, &Value)> {
    let items = body["TransactItems"].as_array().into_iter().flatten();
    items.filter_map(Value::as_object).flatten()
}

pub(super) fn checks(call: &Call<'_>, answer: &Value) -> Result<Vec<Check>, Unknown> {
    let (body, table) = (call.json()?, &answer["Table"]);
    let arn = text(table, "TableArn");
    let key = hash_key(table).ok_or_else(|| Unknown(format!("dynamodb: {answer}")))?;
    let one = |action: &str, holder: &Value| {
        let check = Check::of(&format!("dynamodb:{action}"), arn);
        leading(check, &holder[key]).ok_or_else(|| call.unknown())
    };
    let operation = call.operation();
    match operation {
        "GetItem" | "UpdateItem" | "DeleteItem" => Ok(vec![one(operation, &body["Key"])?]),
        "PutItem" => Ok(vec![one(operation, &body["Item"])?]),
        "Query" => Ok(vec![query(call, &body, table)?]),
        "Scan" => Ok(vec![Check::of("dynamodb:Scan", &of_index(arn, &body))]),
        "DescribeTable" => Ok(vec![Check::of("dynamodb:DescribeTable", arn)]),
        // The parts of a transaction need the permissions of the single calls.
        "TransactWriteItems" | "TransactGetItems" => transacted(&body)
            .map(|(kind, part)| match kind.as_str() {
                "Put" => one("PutItem", &part["Item"]),
                "Update" => one("UpdateItem", &part["Key"]),
                "Delete" => one("DeleteItem", &part["Key"]),
                "Get" => one("GetItem", &part["Key"]),
                "ConditionCheck" => one("ConditionCheckItem", &part["Key"]),
                _ => Err(call.unknown()),
            })
            .collect(),
        "BatchGetItem" | "BatchWriteItem" => batch(call, &body, arn, key),
        _ => Err(call.unknown()),
    }
}

/// One permission for the whole, with all of the keys in it.
fn batch(call: &Call<'_>, body: &Value, arn: &str, key: &str) -> Result<Vec<Check>, Unknown> {
    let mut check = Check::of(&format!("dynamodb:{}", call.operation()), arn);
    let tables = body["RequestItems"].as_object().into_iter().flatten();
    for (_, requests) in tables {
        let gets = requests["Keys"].as_array().into_iter().flatten();
        let writes = requests.as_array().into_iter().flatten().map(|write| {
            let put = &write["PutRequest"]["Item"];
            if put.is_null() {
                &write["DeleteRequest"]["Key"]
            } else {
                put
            }
        });
        for holder in gets.chain(writes) {
            check = leading(check, &holder[key]).ok_or_else(|| call.unknown())?;
        }
    }
    Ok(vec![check])
}

fn query(call: &Call<'_>, body: &Value, table: &Value) -> Result<Check, Unknown> {
    let index = text(body, "IndexName");
    let schema = match index {
        "" => table,
        name => {
            let indexes = table["GlobalSecondaryIndexes"]
                .as_array()
                .into_iter()
                .flatten();
            let mut named = indexes.filter(|index| text(index, "IndexName") == name);
            named.next().ok_or_else(|| call.unknown())?
        }
    };
    let key = hash_key(schema).ok_or_else(|| call.unknown())?;
    let value = compared(body, key).ok_or_else(|| call.unknown())?;
    let check = Check::of("dynamodb:Query", &of_index(text(table, "TableArn"), body));
    leading(check, value).ok_or_else(|| call.unknown())
}

fn of_index(table: &str, body: &Value) -> String {
    match text(body, "IndexName") {
        "" => table.to_owned(),
        index => format!("{table}/index/{index}"),
    }
}

/// The value that `KEY = :value` gives a key in the expression of a query.
fn compared<'b>(body: &'b Value, key: &str) -> Option<&'b Value> {
    let expression = text(body, "KeyConditionExpression").replace(['(', ')'], " ");
    let names = &body["ExpressionAttributeNames"];
    let name = |word: &str| names[word].as_str().unwrap_or(word) == key;
    let words: Vec<&str> = expression.split_whitespace().collect();
    let value = words.windows(3).find_map(|three| match three {
        [left, "=", right] if name(left) => Some(*right),
        _ => None,
    })?;
    Some(&body["ExpressionAttributeValues"][value])
}

fn hash_key(schema: &Value) -> Option<&str> {
    let mut keys = schema["KeySchema"].as_array()?.iter();
    let key = keys.find(|key| text(key, "KeyType") == "HASH")?;
    key["AttributeName"].as_str()
}

/// The check with one more leading key, `{"S": "…"}`.
fn leading(check: Check, value: &Value) -> Option<Check> {
    let typed = value.as_object()?.values().next()?.as_str()?;
    Some(check.with("dynamodb:LeadingKeys", typed))
}
