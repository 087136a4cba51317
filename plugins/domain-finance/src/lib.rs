//! `domain-finance`: numbers of accounts, securities and cards checked, loans planned, cash flows valued.
//!
//! | export | in | out |
//! |---|---|---|
//! | `validate_identifier` | `{"value", "kind"?}` | whether it is right, its parts, and every reason why not |
//! | `amortize` | principal, rate, payments, … | the schedule and its totals, to the minor unit |
//! | `cash_flow` | `{"flows", "rate_percent"?}` | net present value, every internal rate of return, payback |
//!
//! Amounts are exact ratios until they are rounded, and the answer says how. It needs no host and no capability; no
//! number that it is given is logged.

use agentmem_plugin_sdk::prelude::*;

pub mod currency;
pub mod flows;
pub mod identifier;
pub mod loan;
pub mod number;
pub mod rounding;

fn validate_identifier(request: identifier::Request) -> Result<identifier::Response, Error> {
    identifier::validate(&request)
}

fn amortize(request: loan::Request) -> Result<loan::Response, Error> {
    loan::amortize(&request)
}

fn cash_flow(request: flows::Request) -> Result<flows::Response, Error> {
    flows::value(&request)
}

export_plugin!(name = "Finance", tools = [validate_identifier, amortize, cash_flow]);
