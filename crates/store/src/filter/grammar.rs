//! The grammar of conditions:
//!
//! ```text
//! or      = and ("or" and)*
//! and     = not ("and" not)*
//! not     = "not" not | "(" or ")" | test
//! test    = column relation literal | column ["not"] "in" "(" literal, … ")"
//!         | column ["not"] "between" literal "and" literal | column "is" ["not"] "null"
//! ```
//!
//! Words in any case; texts in single or double quotes, a doubled quote standing for itself.

use winnow::ascii::{Caseless, float, multispace0};
use winnow::combinator::{alt, cut_err, delimited, opt, preceded, repeat, separated, terminated};
use winnow::error::{ContextError, ErrMode};
use winnow::prelude::*;
use winnow::stream::Stateful;
use winnow::token::{literal, none_of, one_of, take_while};

use super::{Condition, Literal, Relation};

/// Deepest nesting that is read: recursion must end before the stack does.
const DEEPEST: u32 = 64;

type Input<'i> = Stateful<&'i str, u32>;
type Read<T> = Result<T, ErrMode<ContextError>>;

/// Reads a condition; the error is what could not be read.
pub(super) fn parse(text: &str) -> Result<Condition, String> {
    let input = Input { input: text, state: 0 };
    terminated(or, multispace0).parse(input).map_err(|error| {
        let rest = text.get(error.offset()..).unwrap_or_default();
        rest.trim_start().chars().take(80).collect()
    })
}

fn or(input: &mut Input<'_>) -> Read<Condition> {
    let all: Vec<Condition> = separated(1.., and, word("or")).parse_next(input)?;
    Ok(one_or(all, Condition::Or))
}

fn and(input: &mut Input<'_>) -> Read<Condition> {
    let all: Vec<Condition> = separated(1.., not, word("and")).parse_next(input)?;
    Ok(one_or(all, Condition::And))
}

fn one_or(mut all: Vec<Condition>, join: fn(Vec<Condition>) -> Condition) -> Condition {
    match (all.pop(), all.is_empty()) {
        (Some(only), true) => only,
        (last, _) => {
            all.extend(last);
            join(all)
        }
    }
}

fn not(input: &mut Input<'_>) -> Read<Condition> {
    input.state += 1;
    if input.state > DEEPEST {
        return Err(ErrMode::Cut(ContextError::new()));
    }
    let found = alt((
        preceded(word("not"), cut_err(not)).map(|condition| Condition::Not(Box::new(condition))),
        delimited(sign("("), cut_err(or), cut_err(sign(")"))),
        test,
    ))
    .parse_next(input);
    input.state -= 1;
    found
}

fn test(input: &mut Input<'_>) -> Read<Condition> {
    let column = column.parse_next(input)?;
    if opt(word("is")).parse_next(input)?.is_some() {
        let not = opt(word("not")).parse_next(input)?.is_some();
        cut_err(word("null")).parse_next(input)?;
        return Ok(negated(not, Condition::Missing { column }));
    }
    if let Some(relation) = opt(relation).parse_next(input)? {
        let literal = cut_err(value).parse_next(input)?;
        return Ok(Condition::Compare { column, relation, literal });
    }
    let not = opt(word("not")).parse_next(input)?.is_some();
    if opt(word("in")).parse_next(input)?.is_some() {
        let list = separated(1.., value, sign(","));
        let literals = cut_err(delimited(sign("("), list, sign(")"))).parse_next(input)?;
        return Ok(negated(not, Condition::Among { column, literals }));
    }
    cut_err(word("between")).parse_next(input)?;
    let low = cut_err(value).parse_next(input)?;
    cut_err(word("and")).parse_next(input)?;
    let high = cut_err(value).parse_next(input)?;
    let bound = |relation, literal| Condition::Compare { column: column.clone(), relation, literal };
    let between =
        Condition::And(vec![bound(Relation::GreaterOrEqual, low), bound(Relation::LessOrEqual, high)]);
    Ok(negated(not, between))
}

fn negated(not: bool, condition: Condition) -> Condition {
    if not { Condition::Not(Box::new(condition)) } else { condition }
}

/// A keyword, in any case, that is not the beginning of a longer word.
fn word<'i>(text: &'static str) -> impl Parser<Input<'i>, (), ErrMode<ContextError>> {
    let end = winnow::combinator::not(one_of(is_letter));
    (multispace0, literal(Caseless(text)), end).void()
}

fn sign<'i>(text: &'static str) -> impl Parser<Input<'i>, (), ErrMode<ContextError>> {
    (multispace0, literal(text)).void()
}

fn is_letter(letter: char) -> bool {
    letter.is_ascii_alphanumeric() || letter == '_'
}

fn column(input: &mut Input<'_>) -> Read<String> {
    let name =
        take_while(1.., is_letter).verify(|name: &str| !name.starts_with(|c: char| c.is_ascii_digit()));
    preceded(multispace0, name).map(str::to_owned).parse_next(input)
}

fn relation(input: &mut Input<'_>) -> Read<Relation> {
    preceded(
        multispace0,
        alt((
            alt(("<=", "≤")).value(Relation::LessOrEqual),
            alt((">=", "≥")).value(Relation::GreaterOrEqual),
            alt(("<>", "!=", "≠")).value(Relation::Unequal),
            "<".value(Relation::Less),
            ">".value(Relation::Greater),
            alt(("==", "=")).value(Relation::Equal),
        )),
    )
    .parse_next(input)
}

fn value(input: &mut Input<'_>) -> Read<Literal> {
    preceded(
        multispace0,
        alt((
            float
                .verify(|number: &f64| number.is_finite())
                .with_taken()
                .map(|(value, text)| Literal::Number { value, digits: significant(text) }),
            quoted('\'').map(Literal::Text),
            quoted('"').map(Literal::Text),
        )),
    )
    .parse_next(input)
}

/// Significant digits of a number as it was typed: all after leading zeros, before the exponent.
fn significant(text: &str) -> usize {
    let mantissa = text.split(['e', 'E']).next().unwrap_or_default();
    mantissa.chars().filter(char::is_ascii_digit).skip_while(|&digit| digit == '0').count()
}

fn quoted<'i>(quote: char) -> impl Parser<Input<'i>, String, ErrMode<ContextError>> {
    let doubled = (one_of(quote), one_of(quote)).value(quote);
    delimited(one_of(quote), repeat(0.., alt((none_of(quote), doubled))), one_of(quote))
}
