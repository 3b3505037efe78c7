//! What a month's executions have cost and hold: one item a month, so that one conditional update both asks for room and takes it
//! (<https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Expressions.ConditionExpressions.html>). What is held stands in it by
//! execution: about 100 bytes each, of which an item has room for thousands at the same time.

use super::item::{Item, number};
use super::{DynamoStore, item, text};
use crate::aws::store_error;
use crate::keys::{check_month, check_name};
use crate::{Reserved, Result, StoreError};
use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::operation::update_item::builders::UpdateItemFluentBuilder;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnValuesOnConditionCheckFailure};
use floodgate_records::budget::{Account, Amount, Limit, Reservation};
use std::collections::{BTreeMap, HashMap};

const MICRO_USD: &str = "micro_usd";
const VU_S: &str = "vu_s";
const AT_MS: &str = "at_ms";
const OPEN: &str = "open";

/// What a conditional update came to.
enum Updated {
    Done,
    /// The condition does not hold: the item as it stands, if there is one.
    Refused(Option<Item>),
}

fn key_of(yyyymm: &str) -> String {
    format!("ACCOUNT#{yyyymm}")
}

impl DynamoStore {
    pub(super) async fn reserve_in(
        &self,
        project: &str,
        yyyymm: &str,
        execution: &str,
        asked: Reservation,
        limit: &Limit,
    ) -> Result<Reserved> {
        check_month(yyyymm)?;
        for name in [project, execution] {
            check_name(name)?;
        }
        let key = key_of(yyyymm);
        loop {
            let updating = self
                .account_update(project, &key, execution)
                .update_expression("SET #open.#id = :held, #usd = #usd + :usd, #vu = #vu + :vu")
                .expression_attribute_names("#usd", MICRO_USD)
                .expression_attribute_names("#vu", VU_S)
                .expression_attribute_values(":held", held(asked))
                .expression_attribute_values(":usd", number(asked.amount.micro_usd))
                .expression_attribute_values(":vu", number(asked.amount.vu_s));
            let updating = if_there_is_room(updating, limit, asked.amount);
            match self.update_account(&key, updating).await? {
                Updated::Done => return Ok(Reserved::Held),
                Updated::Refused(None) => self.open_account(project, &key).await?,
                Updated::Refused(Some(item)) => {
                    let account = self.account_of(&key, &item)?;
                    // It holds it already, also where the answer to this very update was lost.
                    return Ok(match account.open.contains_key(execution) {
                        true => Reserved::Held,
                        false => Reserved::Full(account),
                    });
                }
            }
        }
    }

    pub(super) async fn settle_in(
        &self,
        project: &str,
        yyyymm: &str,
        execution: &str,
        actual: Amount,
    ) -> Result<()> {
        check_name(execution)?;
        let account = self.read_account(project, yyyymm).await?;
        let Some(held) = account.open.get(execution) else {
            return Ok(());
        };
        let change = |actual: u64, held: u64| i128::from(actual) - i128::from(held);
        let (usd, vu) = (
            change(actual.micro_usd, held.amount.micro_usd),
            change(actual.vu_s, held.amount.vu_s),
        );
        let key = key_of(yyyymm);
        let updating = self
            .account_update(project, &key, execution)
            .update_expression("SET #usd = #usd + :usd, #vu = #vu + :vu REMOVE #open.#id")
            // What is held never changes but by going away.
            .condition_expression("attribute_exists(#open.#id)")
            .expression_attribute_names("#usd", MICRO_USD)
            .expression_attribute_names("#vu", VU_S)
            .expression_attribute_values(":usd", number(usd))
            .expression_attribute_values(":vu", number(vu));
        // Somebody else has settled it, or this very update, whose answer was lost.
        self.update_account(&key, updating).await.map(drop)
    }

    pub(super) async fn read_account(&self, project: &str, yyyymm: &str) -> Result<Account> {
        check_name(project)?;
        check_month(yyyymm)?;
        let key = key_of(yyyymm);
        match self.item(project, &key, &self.name(&key)).await? {
            Some(item) => self.account_of(&key, &item),
            None => Ok(Account::default()),
        }
    }

    fn account_update(&self, project: &str, key: &str, execution: &str) -> UpdateItemFluentBuilder {
        self.client
            .update_item()
            .table_name(&self.table)
            .key("PK", text(item::project_key(project)))
            .key("SK", text(key))
            .expression_attribute_names("#open", OPEN)
            .expression_attribute_names("#id", execution)
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
    }

    async fn update_account(
        &self,
        key: &str,
        updating: UpdateItemFluentBuilder,
    ) -> Result<Updated> {
        let Err(error) = updating.send().await else {
            return Ok(Updated::Done);
        };
        match error.as_service_error() {
            Some(UpdateItemError::ConditionalCheckFailedException(failed)) => {
                Ok(Updated::Refused(failed.item().cloned()))
            }
            _ => Err(store_error("update", &self.name(key), error)),
        }
    }

    /// Writes the item of a month that nothing has been taken from, unless somebody else has.
    async fn open_account(&self, project: &str, key: &str) -> Result<()> {
        let writing = self
            .putting(project, key)
            .item(MICRO_USD, number(0))
            .item(VU_S, number(0))
            .item(OPEN, AttributeValue::M(HashMap::new()))
            .condition_expression("attribute_not_exists(PK)");
        match writing.send().await {
            Ok(_) => Ok(()),
            Err(error)
                if matches!(
                    error.as_service_error(),
                    Some(PutItemError::ConditionalCheckFailedException(_))
                ) =>
            {
                Ok(())
            }
            Err(error) => Err(store_error("create", &self.name(key), error)),
        }
    }

    fn account_of(&self, key: &str, item: &Item) -> Result<Account> {
        let corrupt = |what: &str| StoreError::corrupt(self.name(key), format!("has no {what}"));
        let amount = |item: &Item| {
            Ok::<_, StoreError>(Amount {
                micro_usd: whole(item, MICRO_USD).ok_or_else(|| corrupt(MICRO_USD))?,
                vu_s: whole(item, VU_S).ok_or_else(|| corrupt(VU_S))?,
            })
        };
        let open = item.get(OPEN).and_then(|open| open.as_m().ok());
        let mut reservations = BTreeMap::new();
        for (execution, held) in open.ok_or_else(|| corrupt(OPEN))? {
            let held = held.as_m().map_err(|_| corrupt("map of what is held"))?;
            let reservation = Reservation {
                amount: amount(held)?,
                at_ms: whole(held, AT_MS).unwrap_or_default().cast_signed(),
            };
            reservations.insert(execution.clone(), reservation);
        }
        Ok(Account {
            total: amount(item)?,
            open: reservations,
        })
    }
}

/// A number that is whole and not negative. Of a total that has come below nothing nothing is left.
fn whole(item: &Item, name: &str) -> Option<u64> {
    let number = item.get(name)?.as_n().ok()?.parse::<i128>().ok()?;
    Some(u64::try_from(number.max(0)).unwrap_or(u64::MAX))
}

fn held(asked: Reservation) -> AttributeValue {
    AttributeValue::M(HashMap::from([
        (MICRO_USD.to_owned(), number(asked.amount.micro_usd)),
        (VU_S.to_owned(), number(asked.amount.vu_s)),
        (AT_MS.to_owned(), number(asked.at_ms.max(0))),
    ]))
}

/// The condition that the execution holds nothing yet, and that the totals leave room for the amount.
fn if_there_is_room(
    mut updating: UpdateItemFluentBuilder,
    limit: &Limit,
    amount: Amount,
) -> UpdateItemFluentBuilder {
    let mut condition = "attribute_exists(PK) AND attribute_not_exists(#open.#id)".to_owned();
    let bounds = [
        (limit.micro_usd, amount.micro_usd, "#usd", ":most_usd"),
        (limit.vu_s, amount.vu_s, "#vu", ":most_vu"),
    ];
    for (most, amount, total, name) in bounds {
        if let Some(most) = most {
            // Below nothing where the amount alone is too much.
            let before = i128::from(most) - i128::from(amount);
            condition.push_str(&format!(" AND {total} <= {name}"));
            updating = updating.expression_attribute_values(name, number(before));
        }
    }
    updating.condition_expression(condition)
}
