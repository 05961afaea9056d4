//! A tenant with money and a group of contacts.

use std::fmt::Write as _;
use std::fs;
use std::process::Command;

use anyhow::{Context as _, ensure};
use serde_json::json;

use super::super::caller::Caller;
use super::super::client::Connection;
use super::super::commands;
use super::super::server::{self, LARGE_TENANT, Place, Server};
use super::super::template::{Numbers, Template};
use super::super::world::{ADMIN, PASSWORD};

/// Currencies of the price table.
const CURRENCIES: [&str; 3] = ["CHF", "EUR", "USD"];

pub(super) struct World<'a> {
    place: &'a Place,
    pub(super) program: Caller,
    /// The same, who wants lists with their totals.
    pub(super) counting: Caller,
    pub(super) group: u64,
    pub(super) recipients: usize,
}

impl<'a> World<'a> {
    /// Makes the store, with a contact group of so many.
    pub(super) async fn prepare(place: &'a Place, recipients: usize) -> anyhow::Result<Self> {
        let tenant = server::create_tenant(place, ADMIN, PASSWORD)?;
        let prices = place.folder.join("prices.csv");
        fs::write(&prices, price_table())?;
        succeed(server::muster(place).args(["prices", "import"]).arg(&prices))?;
        succeed(server::muster(place).args(["tenant", "credit", LARGE_TENANT, "100000000"]))?;
        let group = commands::fill_mobile(place, "Large", recipients, false)?;
        let program = Caller::lox24(&tenant.lox24);
        let shown = format!("X-LOX24-AUTH-TOKEN: {}\r\nAccept: application/ld+json\r\n", tenant.lox24);
        let world = Self { place, program, counting: Caller::Shows(shown), group, recipients };
        world.label().await?;
        Ok(world)
    }

    /// From now on bulks go to another group of as many, whose contacts have a reference each (`callback_data`).
    pub(super) async fn with_references(&mut self) -> anyhow::Result<()> {
        self.group = commands::fill_mobile(self.place, "Referenced", self.recipients, true)?;
        self.label().await
    }

    /// Gives the columns of the group their labels, so that each recipient has another text.
    async fn label(&self) -> anyhow::Result<()> {
        let mut server = Server::start_with(self.place, Some("warn"), &["--messages", "off"])?;
        let body = json!({ "name_a": "First name", "name_b": "Last name" }).to_string();
        let mut request = Vec::new();
        Template::write("PUT", "/groups/{id}", &self.program, &body)
            .render(Numbers { id: self.group, number: 0, counter: 0 }, &mut request);
        Connection::open(server.address).await?.call(&request).await.context("the labels of the group")?;
        server.stop()
    }

    /// A server with these carriers.
    pub(super) fn serve(&self, carriers: &str) -> anyhow::Result<Server> {
        let file = self.place.folder.join("carriers.toml");
        fs::write(&file, carriers)?;
        let file = file.to_str().context("the name of the folder is not UTF-8")?;
        Server::start_with(self.place, None, &["--carriers", file])
    }

    /// A server that takes messages and hands none over.
    pub(super) fn take_only(&self) -> anyhow::Result<Server> {
        Server::start_with(self.place, None, &["--messages", "off"])
    }
}

/// Prices for as many countries as there are, or some more; Germany is among them.
fn price_table() -> String {
    let mut table = "country,name,currency,s,m,l,xl\n".to_owned();
    for first in 'A'..='J' {
        for second in 'A'..='Z' {
            for currency in CURRENCIES {
                // Writing to a string does not fail.
                let _ =
                    writeln!(table, "{first}{second},Country {first}{second},{currency},0.07,0.06,0.05,0.04");
            }
        }
    }
    table
}

fn succeed(command: &mut Command) -> anyhow::Result<()> {
    let output = command.output().context("cannot run the server's binary")?;
    ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn germany_is_in_the_table_once_in_each_currency() {
        let table = price_table();
        assert_eq!(table.lines().filter(|line| line.starts_with("DE,")).count(), CURRENCIES.len());
        assert_eq!(table.lines().count(), 1 + 260 * CURRENCIES.len());
    }
}
