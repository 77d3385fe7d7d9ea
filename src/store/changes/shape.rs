//! What tables look like, asked of the database itself, and the SQL that follows from it.

use std::sync::Arc;

use sqlx::sqlite::{Sqlite, SqliteArguments, SqliteRow};
use sqlx::{AssertSqlSafe, Executor, Row as _, TypeInfo as _, ValueRef as _, query::Query};

use super::{CARRIED, Cell, Shape};
use crate::store::StoreError;

/// The tables that are carried on, as they are in this file.
pub(in crate::store) async fn shapes<'c, E>(database: E) -> Result<Vec<Shape>, StoreError>
where
    E: Executor<'c, Database = Sqlite> + Copy,
{
    let mut shapes = Vec::with_capacity(CARRIED.len());
    for table in CARRIED {
        let columns: Vec<(String, i64)> = sqlx::query_as("SELECT name, pk FROM pragma_table_info(?)")
            .bind(table)
            .fetch_all(database)
            .await?;
        let mut of_key: Vec<_> = columns.iter().filter(|(_, place)| *place > 0).collect();
        of_key.sort_by_key(|(_, place)| *place);
        let rest = columns.iter().filter(|(_, place)| *place == 0);
        let names = of_key.iter().copied().chain(rest).map(|(name, _)| name.clone());
        shapes.push(Shape { table: table.to_owned(), columns: names.collect(), key: of_key.len() });
    }
    Ok(shapes)
}

impl Shape {
    pub(super) fn key_columns(&self) -> &[String] {
        self.columns.get(..self.key).unwrap_or(&self.columns)
    }

    fn other_columns(&self) -> &[String] {
        self.columns.get(self.key..).unwrap_or_default()
    }

    /// Whether rows of that shape, which somebody else names, can be put into this table: the same key, and no
    /// column that is not here. Only names that pass this get into a statement.
    pub(super) fn takes(&self, other: &Self) -> bool {
        self.table == other.table
            && self.key_columns() == other.key_columns()
            && other.columns.iter().all(|column| self.columns.contains(column))
    }

    /// The primary key of a row as SQL that means exactly it, whatever its type.
    pub(super) fn quoted_key(&self, row: &str) -> String {
        let quoted: Vec<_> =
            self.key_columns().iter().map(|column| format!("quote({row}.{column})")).collect();
        quoted.join(" || ',' || ")
    }

    /// Puts a row where it belongs, whether there is one already or not.
    pub(super) fn put(&self) -> String {
        let (columns, key) = (self.columns.join(", "), self.key_columns().join(", "));
        let places = places(self.columns.len());
        let updates: Vec<_> =
            self.other_columns().iter().map(|column| format!("{column} = excluded.{column}")).collect();
        let then = match updates.join(", ") {
            updates if updates.is_empty() => "NOTHING".to_owned(),
            updates => format!("UPDATE SET {updates}"),
        };
        format!("INSERT INTO {} ({columns}) VALUES ({places}) ON CONFLICT ({key}) DO {then}", self.table)
    }

    /// Takes a row out.
    pub(super) fn take(&self) -> String {
        let (key, places) = (self.key_columns().join(", "), places(self.key));
        format!("DELETE FROM {} WHERE ({key}) = ({places})", self.table)
    }

    /// The row with this key, which is SQL that our own trigger has written.
    pub(super) fn find(&self, key: &str) -> String {
        let (columns, of_key) = (self.columns.join(", "), self.key_columns().join(", "));
        format!("SELECT {columns} FROM {} WHERE ({of_key}) = ({key})", self.table)
    }

    /// A page of rows in the order of their keys, the first one or the one behind a key.
    pub(super) fn page(&self, is_first: bool, most: u32) -> String {
        let (columns, key) = (self.columns.join(", "), self.key_columns().join(", "));
        let behind = if is_first { String::new() } else { format!("WHERE ({key}) > ({})", places(self.key)) };
        format!("SELECT {columns} FROM {} {behind} ORDER BY {key} LIMIT {most}", self.table)
    }
}

fn places(count: usize) -> String {
    vec!["?"; count].join(", ")
}

/// A statement that is made of names in our own schema, with these values.
pub(super) fn query<'q>(sql: impl Into<Arc<str>>, cells: &'q [Cell]) -> Query<'q, Sqlite, SqliteArguments> {
    cells.iter().fold(sqlx::query(AssertSqlSafe(sql.into())), |query, cell| match cell {
        Cell::Nothing => query.bind(None::<i64>),
        Cell::Number(number) => query.bind(number),
        Cell::Text(text) => query.bind(text),
        Cell::Bytes(bytes) => query.bind(bytes),
    })
}

/// The values of a row.
pub(super) fn cells(row: &SqliteRow) -> Result<Vec<Cell>, StoreError> {
    let cell = |at| {
        let raw = row.try_get_raw(at)?;
        if raw.is_null() {
            return Ok(Cell::Nothing);
        }
        Ok(match raw.type_info().name() {
            "INTEGER" => Cell::Number(row.try_get_unchecked(at)?),
            "TEXT" => Cell::Text(row.try_get_unchecked(at)?),
            _ => Cell::Bytes(row.try_get_unchecked(at)?),
        })
    };
    (0..row.len()).map(cell).collect()
}
