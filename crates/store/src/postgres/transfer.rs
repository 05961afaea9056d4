//! A database as one end of a copy of a whole store.

use std::pin::pin;
use std::sync::Arc;

use futures_util::TryStreamExt as _;
use muster_domain::secret::ServerKey;
use muster_domain::{Clock, Entropy, StoreError, Timestamp};
use tokio::sync::mpsc::{Sender, channel};
use tokio_postgres::Client;
use tokio_postgres::binary_copy::BinaryCopyInWriter;
use tokio_postgres::types::Type;

use super::connection::Connection;
use super::error::store_error;
use super::presence::{keep_copies_out, keep_servers_out};
use super::{connector, migrate};
use crate::migrate_store::{COPY_MARK, Cells, End, Held, Pager, Pages, QUEUE, TABLES, Table};
use crate::{OpenError, Options};

/// Long work of one connection, which may be idle while the other end is read: plans are for all rows.
const SETTINGS: &str =
    "SET idle_in_transaction_session_timeout = 0; RESET enable_seqscan; RESET enable_mergejoin;
    SET maintenance_work_mem = '256MB'";

/// The mark of a copy, with what it is a copy of, and what is made when all rows are there.
const MARKS: &str =
    "CREATE TABLE store_copy (only_row BIGINT PRIMARY KEY CHECK (only_row = 1), of BYTEA NOT NULL);
    CREATE TABLE store_copy_parts (position BIGINT PRIMARY KEY, sql TEXT NOT NULL)";

/// What makes a row slow to write ($1 are the tables): indexes, and rows that refer to others, which would have to come
/// after those. How each part is removed and made again, in the order in which they are made.
const PARTS: &str = "
    WITH ours AS (SELECT to_regclass(name)::oid AS id FROM unnest(CAST($1 AS TEXT[])) AS name)
    SELECT format('DROP INDEX %s', x.indexrelid::regclass), pg_get_indexdef(x.indexrelid), 1
    FROM pg_index x JOIN ours ON x.indrelid = ours.id
    WHERE NOT EXISTS (SELECT 1 FROM pg_constraint c WHERE c.conindid = x.indexrelid AND c.contype IN ('p', 'u'))
    UNION ALL
    SELECT format('ALTER TABLE %s DROP CONSTRAINT %I', c.conrelid::regclass, c.conname),
        format('ALTER TABLE %s ADD CONSTRAINT %I %s', c.conrelid::regclass, c.conname, pg_get_constraintdef(c.oid)), 2
    FROM pg_constraint c JOIN ours ON c.conrelid = ours.id WHERE c.contype = 'f'
    ORDER BY 3, 2";

/// A connection that is used by one thing at a time.
pub(crate) struct PostgresEnd {
    connection: Arc<Connection>,
}

fn sql(error: tokio_postgres::Error) -> OpenError {
    OpenError::Store(store_error(error))
}

async fn connect(options: &Options) -> Result<Connection, OpenError> {
    let connection = connector(options, false)?.connect().await?;
    connection.client.batch_execute(SETTINGS).await.map_err(sql)?;
    Ok(connection)
}

async fn number(client: &Client, query: &str) -> Result<i64, StoreError> {
    client.query_one(query, &[]).await.and_then(|row| row.try_get(0)).map_err(store_error)
}

impl PostgresEnd {
    fn client(&self) -> &Client {
        &self.connection.client
    }
}

impl End for PostgresEnd {
    /// Writers wait from here on, and get an error when they have waited for as long as for any lock.
    async fn hold(
        options: &Options,
        clock: &dyn Clock,
        entropy: &dyn Entropy,
    ) -> Result<Held<Self>, OpenError> {
        let connection = connect(options).await?;
        keep_servers_out(&connection).await?;
        let key = migrate::run(&connection, options, clock.now(), entropy).await?;
        let client = &connection.client;
        let tables: Vec<_> = TABLES.iter().map(|table| table.name).collect();
        // With a look at the first one every group of writes begins, so none waits that holds another.
        let hold = format!(
            "BEGIN ISOLATION LEVEL READ COMMITTED; LOCK TABLE tenant_state IN EXCLUSIVE MODE; \
             LOCK TABLE {}, server_key IN SHARE MODE",
            tables.join(", ")
        );
        client.batch_execute(&hold).await.map_err(sql)?;
        let made = Timestamp(number(client, "SELECT MIN(applied_at) FROM migrations").await?);
        Ok(Held { end: Self { connection: Arc::new(connection) }, key, made })
    }

    async fn begin(options: &Options, copy: &[u8], now: Timestamp) -> Result<(Self, bool), OpenError> {
        let connection = connect(options).await?;
        keep_copies_out(&connection).await?;
        let client = &connection.client;
        migrate::begin(client).await?;
        let begun = mark(client, copy, now).await?;
        client.batch_execute("COMMIT").await.map_err(sql)?;
        Ok((Self { connection: Arc::new(connection) }, begun))
    }

    async fn count(&self, table: &'static Table) -> Result<u64, StoreError> {
        Ok(u64::try_from(number(self.client(), &table.count()).await?).unwrap_or(0))
    }

    async fn last(&self, table: &'static Table) -> Result<Option<Cells>, StoreError> {
        let row = self.client().query_opt(&table.last(), &[]).await.map_err(store_error)?;
        row.map(|row| table.cells(&row)).transpose()
    }

    fn rows(&self, table: &'static Table, after: Option<Cells>) -> Pages {
        let (sender, pages) = channel(QUEUE);
        let connection = Arc::clone(&self.connection);
        tokio::spawn(async move {
            if let Err(error) = read(&connection.client, table, after, &sender).await {
                // Whoever is gone needs no more.
                let _ = sender.send(Err(error)).await;
            }
        });
        pages
    }

    async fn write(&self, table: &'static Table, page: Vec<Cells>) -> Result<(), StoreError> {
        let types = |columns: &[_], kind| vec![kind; columns.len()];
        let types = [
            types(table.integers, Type::INT8),
            types(table.texts, Type::TEXT),
            types(table.bytes, Type::BYTEA),
        ];
        let columns: Vec<_> = table.columns().collect();
        let copy = format!("COPY {} ({}) FROM STDIN BINARY", table.name, columns.join(", "));
        let write = async {
            let sink = self.client().copy_in(&copy).await?;
            let mut writer = pin!(BinaryCopyInWriter::new(sink, &types.concat()));
            for row in &page {
                writer.as_mut().write_raw(row).await?;
            }
            writer.finish().await
        };
        write.await.map(drop).map_err(store_error)
    }

    async fn clear(&self) -> Result<(), StoreError> {
        let tables: Vec<_> = TABLES.iter().map(|table| table.name).collect();
        let clear = format!("TRUNCATE {}", tables.join(", "));
        self.client().batch_execute(&clear).await.map_err(store_error)
    }

    async fn finish(&self, key: &ServerKey) -> Result<(), OpenError> {
        self.client().batch_execute("BEGIN").await.map_err(sql)?;
        let done = complete(self.client(), key).await;
        let end = if done.is_ok() { "COMMIT" } else { "ROLLBACK" };
        self.client().batch_execute(end).await.map_err(sql)?;
        done.map_err(sql)
    }
}

/// Makes the tables and the mark, or finds that of the same copy. Whether it was found.
async fn mark(client: &Client, copy: &[u8], now: Timestamp) -> Result<bool, OpenError> {
    if migrate::is_there(client, COPY_MARK).await? {
        let of = client.query_one("SELECT of FROM store_copy", &[]).await;
        let of: Vec<u8> = of.and_then(|row| row.try_get(0)).map_err(sql)?;
        return if of == copy { Ok(true) } else { Err(OpenError::OtherCopy) };
    }
    if migrate::version(client).await? > 0 {
        return Err(OpenError::Occupied);
    }
    migrate::update(client, 0, now).await?;
    client.batch_execute(MARKS).await.map_err(sql)?;
    client.execute("INSERT INTO store_copy (only_row, of) VALUES (1, $1)", &[&copy]).await.map_err(sql)?;
    let tables: Vec<_> = TABLES.iter().map(|table| table.name).collect();
    let parts = client.query(PARTS, &[&tables]).await.map_err(sql)?;
    for (position, part) in (1_i64..).zip(&parts) {
        let remove: String = part.try_get(0).map_err(sql)?;
        let make: String = part.try_get(1).map_err(sql)?;
        client.batch_execute(&remove).await.map_err(sql)?;
        let noted = "INSERT INTO store_copy_parts (position, sql) VALUES ($1, $2)";
        client.execute(noted, &[&position, &make]).await.map_err(sql)?;
    }
    Ok(false)
}

/// Makes what was put off, notes the key, and takes the mark away. The planner shall know the tables from the beginning.
async fn complete(client: &Client, key: &ServerKey) -> Result<(), tokio_postgres::Error> {
    for part in client.query("SELECT sql FROM store_copy_parts ORDER BY position", &[]).await? {
        client.batch_execute(part.try_get(0)?).await?;
    }
    let known = "INSERT INTO server_key (only_row, fingerprint) VALUES (1, $1)";
    client.execute(known, &[&key.fingerprint().as_slice()]).await?;
    let tables: Vec<_> = TABLES.iter().map(|table| table.name).collect();
    let end = format!("DROP TABLE store_copy, store_copy_parts; ANALYZE {}", tables.join(", "));
    client.batch_execute(&end).await
}

async fn read(
    client: &Client,
    table: &'static Table,
    after: Option<Cells>,
    sender: &Sender<Result<Vec<Cells>, StoreError>>,
) -> Result<(), StoreError> {
    let text = table.select(after.is_some(), "");
    let rows = client.query_raw(&text, after.unwrap_or_default()).await.map_err(store_error)?;
    let mut rows = pin!(rows);
    let mut pager = Pager::default();
    while let Some(row) = rows.try_next().await.map_err(store_error)? {
        if let Some(page) = pager.add(table.cells(&row)?)
            && sender.send(Ok(page)).await.is_err()
        {
            return Ok(());
        }
    }
    if let Some(page) = pager.rest() {
        // As above.
        let _ = sender.send(Ok(page)).await;
    }
    Ok(())
}
