//! A `sum` that fails if a sum of integers overflows. DataFusion's own `sum` wraps around.

use std::mem::size_of_val;
use std::sync::Arc;

use arrow::array::{Array as _, ArrayRef, AsArray as _, BooleanArray, Int64Array};
use arrow::compute::{and, not, nullif};
use arrow::datatypes::{DataType, FieldRef, Int64Type};
use datafusion::common::ScalarValue;
use datafusion::error::{DataFusionError, Result};
use datafusion::functions_aggregate::sum::sum_udaf;
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::utils::AggregateOrderSensitivity;
use datafusion::logical_expr::{
    Accumulator, AggregateUDF, AggregateUDFImpl, EmitTo, GroupsAccumulator, ReversedUDAF, Signature,
};

use crate::error::QueryError;

/// `sum`: checked for integers, DataFusion's own for all other types.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(crate) struct CheckedSum(Arc<AggregateUDF>);

impl CheckedSum {
    pub(crate) fn new() -> Self {
        Self(sum_udaf())
    }
}

/// Whether a sum is checked here. `sum(DISTINCT ...)` adds each value once and is left to DataFusion.
fn is_checked(args: &AccumulatorArgs<'_>) -> bool {
    *args.return_field.data_type() == DataType::Int64 && !args.is_distinct
}

impl AggregateUDFImpl for CheckedSum {
    fn name(&self) -> &str {
        self.0.name()
    }

    fn signature(&self) -> &Signature {
        self.0.signature()
    }

    fn return_type(&self, arguments: &[DataType]) -> Result<DataType> {
        self.0.return_type(arguments)
    }

    fn state_fields(&self, args: StateFieldsArgs<'_>) -> Result<Vec<FieldRef>> {
        self.0.state_fields(args)
    }

    fn accumulator(&self, args: AccumulatorArgs<'_>) -> Result<Box<dyn Accumulator>> {
        if is_checked(&args) { Ok(Box::new(Sum::default())) } else { self.0.accumulator(args) }
    }

    fn groups_accumulator_supported(&self, args: AccumulatorArgs<'_>) -> bool {
        self.0.groups_accumulator_supported(args)
    }

    fn create_groups_accumulator(&self, args: AccumulatorArgs<'_>) -> Result<Box<dyn GroupsAccumulator>> {
        if is_checked(&args) { Ok(Box::new(Sums::default())) } else { self.0.create_groups_accumulator(args) }
    }

    fn create_sliding_accumulator(&self, args: AccumulatorArgs<'_>) -> Result<Box<dyn Accumulator>> {
        if is_checked(&args) { Ok(Box::new(Sum::default())) } else { self.0.create_sliding_accumulator(args) }
    }

    fn reverse_expr(&self) -> ReversedUDAF {
        ReversedUDAF::Identical
    }

    fn order_sensitivity(&self) -> AggregateOrderSensitivity {
        AggregateOrderSensitivity::Insensitive
    }
}

fn integers(values: &[ArrayRef]) -> Result<&Int64Array> {
    let values = values.first().and_then(|values| values.as_primitive_opt::<Int64Type>());
    values.ok_or_else(|| DataFusionError::Internal("expected integers in a sum".to_owned()))
}

fn too_large() -> DataFusionError {
    QueryError::SumTooLarge.into()
}

/// A single sum. Window frames may remove rows again, so an intermediate sum may be larger than the result.
#[derive(Debug, Default)]
struct Sum {
    sum: i128,
    count: i64,
}

impl Sum {
    fn add(&mut self, values: &[ArrayRef], sign: i8) -> Result<()> {
        for value in integers(values)?.iter().flatten() {
            // i128 can hold 2^64 records with the largest number.
            self.sum += i128::from(value) * i128::from(sign);
            self.count += i64::from(sign);
        }
        Ok(())
    }
}

impl Accumulator for Sum {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        self.add(values, 1)
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        self.add(states, 1)
    }

    fn retract_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        self.add(values, -1)
    }

    fn supports_retract_batch(&self) -> bool {
        true
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        let sum = i64::try_from(self.sum).map_err(|_| too_large())?;
        Ok(ScalarValue::Int64((self.count > 0).then_some(sum)))
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        Ok(vec![self.evaluate()?])
    }

    fn size(&self) -> usize {
        size_of_val(self)
    }
}

/// A sum for each group; `None` for groups without a value.
#[derive(Debug, Default)]
struct Sums {
    sums: Vec<i64>,
    has_value: Vec<bool>,
}

impl Sums {
    fn add(&mut self, group: usize, value: i64) -> Result<()> {
        let sum = &mut self.sums[group];
        *sum = sum.checked_add(value).ok_or_else(too_large)?;
        self.has_value[group] = true;
        Ok(())
    }
}

impl GroupsAccumulator for Sums {
    fn update_batch(
        &mut self,
        values: &[ArrayRef],
        groups: &[usize],
        filter: Option<&BooleanArray>,
        number_of_groups: usize,
    ) -> Result<()> {
        let values = integers(values)?;
        self.sums.resize(number_of_groups, 0);
        self.has_value.resize(number_of_groups, false);
        if filter.is_none() && values.null_count() == 0 {
            return groups
                .iter()
                .zip(values.values())
                .try_for_each(|(group, value)| self.add(*group, *value));
        }
        for (n, (group, value)) in groups.iter().zip(values.iter()).enumerate() {
            let counts = filter.is_none_or(|filter| filter.is_valid(n) && filter.value(n));
            if let Some(value) = value.filter(|_| counts) {
                self.add(*group, value)?;
            }
        }
        Ok(())
    }

    fn merge_batch(&mut self, states: &[ArrayRef], groups: &[usize], number_of_groups: usize) -> Result<()> {
        self.update_batch(states, groups, None, number_of_groups)
    }

    fn evaluate(&mut self, emit: EmitTo) -> Result<ArrayRef> {
        let (sums, has_value) = (emit.take_needed(&mut self.sums), emit.take_needed(&mut self.has_value));
        Ok(Arc::new(Int64Array::new(sums.into(), Some(has_value.into()))))
    }

    fn state(&mut self, emit: EmitTo) -> Result<Vec<ArrayRef>> {
        Ok(vec![self.evaluate(emit)?])
    }

    fn convert_to_state(&self, values: &[ArrayRef], filter: Option<&BooleanArray>) -> Result<Vec<ArrayRef>> {
        let values: ArrayRef = Arc::new(integers(values)?.clone());
        let Some(filter) = filter else { return Ok(vec![values]) };
        // A condition that is NULL is not met.
        let is_met = match filter.nulls() {
            None => filter.clone(),
            Some(known) => and(
                &BooleanArray::new(filter.values().clone(), None),
                &BooleanArray::new(known.inner().clone(), None),
            )?,
        };
        Ok(vec![nullif(&values, &not(&is_met)?)?])
    }

    fn size(&self) -> usize {
        self.sums.capacity() * size_of::<i64>() + self.has_value.capacity()
    }
}
