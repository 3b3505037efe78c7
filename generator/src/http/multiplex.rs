//! Requests on HTTP/2 connections: what becomes of one that the peer did not handle.

use super::client::{Client, is_stale};
use super::http2::{self, Failed, H2};
use super::marks::Marks;
use super::pool::Connection;
use super::wire::Wire;
use crate::exchange::ErrorCode;
use std::pin::pin;
use std::time::Duration;

/// How often a request is sent again that the peer says it has not handled; Go's limit
/// (`net/http2`, `Transport.RoundTripOpt`).
const MOST_RETRIES: u32 = 6;
/// The wait before the second such attempt; doubled with each. The first goes at once: as a rule it meets another connection,
/// or a limit that is known by now.
const FIRST_WAIT: Duration = Duration::from_millis(10);

impl Client {
    /// On an HTTP/2 connection, and on others if the peer has not handled the request there (RFC 9113 §8.7), or if a kept
    /// one turns out to be closed, as for HTTP/1.1.
    pub(super) async fn multiplexed(
        &mut self,
        mut connection: Box<H2>,
        wire: &Wire,
        marks: &mut Marks,
    ) -> Result<(), ErrorCode> {
        let (mut retries, mut was_stale) = (0, false);
        loop {
            let kept = connection.used;
            marks.ready = self.worker.clock.now();
            let Err(failed) = self.attempt(connection, wire, marks).await else {
                return Ok(());
            };
            if failed.unprocessed && marks.first == 0 && retries < MOST_RETRIES {
                self.wait(retries).await?;
                retries += 1;
            } else if kept && !was_stale && is_stale(failed.code, wire, marks) {
                was_stale = true;
            } else {
                return Err(failed.code);
            }
            self.restart(marks);
            connection = match self.another(wire, marks).await? {
                Connection::H2(connection) => connection,
                Connection::H1(connection) => return self.on_h1(connection, wire, marks).await,
            };
        }
    }

    /// Waits before a retry; `retries` were made before.
    async fn wait(&self, retries: u32) -> Result<(), ErrorCode> {
        let Some(doubled) = retries.checked_sub(1) else {
            return Ok(());
        };
        self.deadline
            .limit(pin!(tokio::time::sleep(FIRST_WAIT * 2u32.pow(doubled))))
            .await
            .map_err(|_| ErrorCode::Timeout)
    }

    /// One attempt. What is left of the connection goes where the next request finds it.
    async fn attempt(
        &mut self,
        mut connection: Box<H2>,
        wire: &Wire,
        marks: &mut Marks,
    ) -> Result<(), Failed> {
        let endpoint = wire.endpoint();
        let https = self.worker.endpoint_of(endpoint).origin.https;
        let request = http2::request(wire, https)?;
        let clock = self.worker.clock;
        let done = connection
            .exchange(request, clock, &self.deadline, &mut self.response, marks)
            .await;
        match &done {
            Err(failed) if !failed.connection_lives => {
                if self.transport.shared {
                    self.transport.pool.retire(endpoint, &connection);
                }
            }
            _ => self.give(wire, Connection::H2(connection)),
        }
        done
    }
}
