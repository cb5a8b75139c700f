//! Adds columns with the names of accounts, resources and addresses to the rows of a query.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;

use flowagg_core::failure::Failure;
use flowagg_core::fleet::{Fleet, Only};
use flowagg_core::lookup::{
    Found, NamedColumn, Wanted, Where, is_account_of_record, is_region_of_record, name_column, named_column,
};
use flowagg_query::datafusion::arrow::array::{Array as _, ArrayRef, AsArray as _, RecordBatch, StringArray};
use flowagg_query::datafusion::arrow::compute::cast;
use flowagg_query::datafusion::arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use flowagg_query::datafusion::arrow::error::ArrowError;

use super::super::error::CommandError;
use super::failed::failed;
use super::lookups::FleetGateways;
use super::source::FleetSource;
use crate::aws::lookup;
use crate::aws::observe::{Detail, listed, survey_in};
use crate::{Exit, Screen};

/// The maximum number of rows with names. Each address may need a part of a call in every account-region.
const NAMED_ROWS: usize = 10_000;

/// Adds the columns with names. Rows are held back until all rows that get names have arrived.
pub(super) struct Naming {
    schema: SchemaRef,
    columns: Vec<(usize, NamedColumn)>,
    account: Option<usize>,
    region: Option<usize>,
    waiting: Vec<RecordBatch>,
    /// The names, after the lookup.
    names: Option<Names>,
    /// Failed lookups.
    failures: Vec<Failure>,
    has_unnamed_rows: bool,
}

/// The data for the lookup of names.
#[derive(Clone, Copy)]
pub(super) struct LookUp<'a> {
    /// The fleet, if the fleet file was read.
    pub(super) fleet: Option<&'a FleetSource>,
    /// The accounts and regions that the run is limited to.
    pub(super) only: &'a [Only],
    /// The NAT gateways that have been looked up.
    pub(super) gateways: Option<&'a FleetGateways>,
}

/// The names that were found.
#[derive(Default)]
struct Names {
    fleet: Option<Fleet>,
    found: Found,
    addresses: BTreeMap<IpAddr, String>,
}

impl Names {
    fn of(&self, column: NamedColumn, value: &str) -> Option<&str> {
        match column {
            NamedColumn::Account => self.fleet.as_ref()?.account_name(value.parse().ok()?),
            NamedColumn::Resource | NamedColumn::ResourceElsewhere => self.found.resource(value),
            NamedColumn::Address => self.addresses.get(&value.parse().ok()?).map(String::as_str),
        }
    }
}

impl Naming {
    /// For rows with these columns.
    pub(super) fn new(rows: &Schema) -> Self {
        let text = |(_, field): &(usize, &Arc<Field>)| is_text(field.data_type());
        let fields = || rows.fields().iter().enumerate().filter(text);
        let place = |is: fn(&str) -> bool| fields().find(|(_, field)| is(field.name())).map(|(n, _)| n);
        let columns = fields().filter_map(|(n, field)| Some((n, named_column(field.name())?)));
        // A column of the statement with the same name is kept.
        let columns: Vec<_> =
            columns.filter(|(n, _)| rows.index_of(&name_column(rows.field(*n).name())).is_err()).collect();
        let mut fields_with_names = Vec::new();
        for (n, field) in rows.fields().iter().enumerate() {
            fields_with_names.push(Arc::clone(field));
            if columns.iter().any(|(named, _)| *named == n) {
                fields_with_names.push(Arc::new(Field::new(name_column(field.name()), DataType::Utf8, true)));
            }
        }
        Self {
            schema: Arc::new(Schema::new(fields_with_names)),
            account: place(is_account_of_record),
            region: place(is_region_of_record),
            columns,
            waiting: Vec::new(),
            names: None,
            failures: Vec::new(),
            has_unnamed_rows: false,
        }
    }

    /// The columns, including those with names.
    pub(super) fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    /// Takes rows, and returns those that can be printed. A signal ends the lookup.
    pub(super) async fn take(
        &mut self,
        rows: RecordBatch,
        with: &LookUp<'_>,
        screen: &Screen<'_>,
    ) -> Result<Result<Vec<RecordBatch>, Exit>, CommandError> {
        if self.names.is_some() || self.columns.is_empty() {
            return Ok(Ok(vec![self.unnamed(&rows)?]));
        }
        let before: usize = self.waiting.iter().map(RecordBatch::num_rows).sum();
        let free = NAMED_ROWS - before;
        if rows.num_rows() <= free {
            self.waiting.push(rows);
            return Ok(Ok(Vec::new()));
        }
        self.waiting.push(rows.slice(0, free));
        let mut ready = match self.finish(with, screen).await? {
            Ok(ready) => ready,
            Err(exit) => return Ok(Err(exit)),
        };
        ready.push(self.unnamed(&rows.slice(free, rows.num_rows() - free))?);
        Ok(Ok(ready))
    }

    /// Looks up the names for the rows that are held back, unless that is done, and returns the rows.
    pub(super) async fn finish(
        &mut self,
        with: &LookUp<'_>,
        screen: &Screen<'_>,
    ) -> Result<Result<Vec<RecordBatch>, Exit>, CommandError> {
        let waiting = std::mem::take(&mut self.waiting);
        if self.names.is_some() || waiting.is_empty() {
            return Ok(Ok(Vec::new()));
        }
        let wanted = self.wanted(&waiting).map_err(unnamed)?;
        let names = match with.fleet {
            Some(fleet) => match self.look_up(&wanted, fleet, with, screen).await {
                Ok(names) => names,
                Err(exit) => return Ok(Err(exit)),
            },
            None => Names::default(),
        };
        let named: Result<Vec<_>, _> = waiting.iter().map(|rows| self.named(rows, Some(&names))).collect();
        self.names = Some(names);
        Ok(Ok(named.map_err(unnamed)?))
    }

    /// Looks up the names in AWS. Failed lookups are added to `failures`.
    async fn look_up(
        &mut self,
        wanted: &Wanted,
        fleet: &FleetSource,
        with: &LookUp<'_>,
        screen: &Screen<'_>,
    ) -> Result<Names, Exit> {
        let file = &fleet.file;
        let declared = || file.clone().without_lookup();
        if !wanted.needs_calls() {
            let declared = declared();
            let is_unnamed = |account| declared.account_name(account).is_none();
            let fleet = if file.discovery().is_some() && wanted.accounts().iter().copied().any(is_unnamed) {
                let found = screen.watching(async |_| listed(file.clone(), &fleet.session).await).await?;
                found.unwrap_or_else(|failure| {
                    self.failures.push(failure);
                    declared
                })
            } else {
                declared
            };
            return Ok(Names { fleet: Some(fleet), ..Names::default() });
        }
        let entered = with.gateways.map(|gateways| &gateways.survey);
        let looking = screen.watching(async |progress| {
            let survey = match entered {
                Some(survey) => Cow::Borrowed(survey),
                None => {
                    let only = wanted.only(with.only);
                    let survey =
                        survey_in(Detail::Places, file.clone(), &fleet.session, &only, progress).await?;
                    Cow::Owned(survey)
                }
            };
            let places = lookup::reachable(&survey);
            let (found, mut failures) = lookup::names(&survey.accounts, places, wanted, progress).await;
            // The lookup of NAT gateways has already reported unreachable accounts.
            if entered.is_none() {
                failures.splice(..0, lookup::unreachable(&survey));
            }
            Ok::<_, Failure>((survey.fleet.clone(), found, failures))
        });
        Ok(match looking.await? {
            Ok((fleet, found, failures)) => {
                self.failures.extend(failures);
                let addresses = found.addresses().into_iter();
                let addresses = addresses.map(|(address, name)| (address, name.to_owned())).collect();
                Names { fleet: Some(fleet), found, addresses }
            }
            Err(failure) => {
                self.failures.push(failure);
                Names { fleet: Some(declared()), ..Names::default() }
            }
        })
    }

    /// The values in the rows that may have names.
    fn wanted(&self, batches: &[RecordBatch]) -> Result<Wanted, ArrowError> {
        let mut wanted = Wanted::default();
        for rows in batches {
            let read = |column: Option<usize>| column.map(|n| texts(rows.column(n))).transpose();
            let (accounts, regions) = (read(self.account)?, read(self.region)?);
            let places: Vec<Where> = (0..rows.num_rows())
                .map(|row| Where::new(value(accounts.as_ref(), row), value(regions.as_ref(), row)))
                .collect();
            for (n, column) in &self.columns {
                let values = texts(rows.column(*n))?;
                for (value, place) in values.as_string::<i32>().iter().zip(&places) {
                    if let Some(value) = value {
                        wanted.add(*column, value, place);
                    }
                }
            }
        }
        Ok(wanted)
    }

    /// Rows with the columns of names.
    fn named(&self, rows: &RecordBatch, names: Option<&Names>) -> Result<RecordBatch, ArrowError> {
        let mut columns: Vec<ArrayRef> = Vec::new();
        for (n, column) in rows.columns().iter().enumerate() {
            columns.push(Arc::clone(column));
            if let Some((_, kind)) = self.columns.iter().find(|(named, _)| *named == n) {
                let values = texts(column)?;
                let values = values.as_string::<i32>().iter();
                let of =
                    |value: Option<&str>| value.and_then(|value| names?.of(*kind, value)).map(str::to_owned);
                columns.push(Arc::new(values.map(of).collect::<StringArray>()));
            }
        }
        RecordBatch::try_new(self.schema(), columns)
    }

    /// Rows that get no names.
    fn unnamed(&mut self, rows: &RecordBatch) -> Result<RecordBatch, CommandError> {
        self.has_unnamed_rows |= !self.columns.is_empty() && rows.num_rows() > 0;
        self.named(rows, None).map_err(unnamed)
    }

    /// Prints notes about the names.
    pub(super) fn print(&self, screen: &mut Screen<'_>) -> Result<(), CommandError> {
        if self.columns.is_empty() {
            screen.note(
                "`--names` recognizes no column of the result: use the column names of the table or of the questions, such as `srcaddr`, \
                 `interface_id` or `log_account`",
            )?;
        }
        if self.has_unnamed_rows {
            screen.note(
                "names were looked up only for the first 10,000 rows; `--limit` reduces the number of rows",
            )?;
        }
        Ok(())
    }

    /// Failed lookups.
    pub(super) fn failures(&self) -> &[Failure] {
        &self.failures
    }
}

fn is_text(data: &DataType) -> bool {
    match data {
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => true,
        DataType::Dictionary(_, values) => is_text(values),
        _ => false,
    }
}

/// A column of texts, as an array of one type.
fn texts(column: &ArrayRef) -> Result<ArrayRef, ArrowError> {
    cast(column, &DataType::Utf8)
}

fn value(column: Option<&ArrayRef>, row: usize) -> Option<&str> {
    let column = column?.as_string::<i32>();
    column.is_valid(row).then(|| column.value(row))
}

fn unnamed(error: ArrowError) -> CommandError {
    failed(flowagg_query::datafusion::error::DataFusionError::from(error).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn batch(columns: &[(&str, &[Option<&str>])]) -> RecordBatch {
        let columns = columns
            .iter()
            .map(|(name, values)| (*name, Arc::new(StringArray::from(values.to_vec())) as ArrayRef, true));
        RecordBatch::try_from_iter_with_nullable(columns).unwrap()
    }

    fn names(naming: &Naming) -> Vec<String> {
        naming.schema.fields().iter().map(|field| field.name().clone()).collect()
    }

    #[test]
    fn name_columns_depend_only_on_the_result_columns() {
        let rows = batch(&[("account", &[]), ("source", &[]), ("bytes", &[]), ("gateway", &[])]);
        assert_eq!(
            names(&Naming::new(&rows.schema())),
            ["account", "account_name", "source", "source_name", "bytes", "gateway", "gateway_name"]
        );
        let own = batch(&[("source", &[]), ("source_name", &[])]);
        assert_eq!(names(&Naming::new(&own.schema())), ["source", "source_name"]);
        let number = Schema::new(vec![Field::new("source", DataType::Int64, true)]);
        assert_eq!(names(&Naming::new(&number)), ["source"]);
    }

    #[test]
    fn each_row_has_a_name_or_null() {
        let mut found = Found::default();
        found.add("vpc-0a1b2c3d", Some("main".to_owned()), true);
        let addresses = BTreeMap::from([("10.0.0.7".parse().unwrap(), "web".to_owned())]);
        let names = Names { fleet: Some(crate::aws::mocked::fleet()), found, addresses };
        let rows = batch(&[
            ("log_account", &[Some("222222222222"), Some("unknown"), None]),
            ("vpc_id", &[Some("vpc-0a1b2c3d"), Some("vpc-0ffffffff"), None]),
            ("srcaddr", &[Some("10.0.0.7"), Some("10.0.0.8"), Some("-")]),
        ]);
        let naming = Naming::new(&rows.schema());
        let named = naming.named(&rows, Some(&names)).unwrap();
        let column = |name: &str| -> Vec<Option<String>> {
            let column = named.column_by_name(name).unwrap().as_string::<i32>();
            column.iter().map(|value| value.map(str::to_owned)).collect()
        };
        // The member of the file has no name.
        assert_eq!(column("log_account_name"), [None, None, None]);
        assert_eq!(column("vpc_id_name"), [Some("main".to_owned()), None, None]);
        assert_eq!(column("srcaddr_name"), [Some("web".to_owned()), None, None]);

        let wanted = naming.wanted(&[rows]).unwrap();
        assert_eq!(wanted.accounts().len(), 1);
        let here = wanted.at(&crate::aws::mocked::place());
        assert_eq!((here.vpcs.len(), here.addresses.len()), (1, 2), "{here:?}");
    }
}
