//! Order ids as people write them.

use fusewire_core::order::{OrderId, StrategyId};

/// Reads `1-0-17`, `1-risk-2`, or the whole id as one number.
///
/// # Errors
/// What the text should have been.
pub fn parse_order_id(text: &str) -> Result<OrderId, String> {
    let wrong =
        || format!("'{text}' is no order id: SESSION-SEAT-COUNTER, as in 1-0-17 or 1-risk-2");
    if let Ok(number) = text.parse() {
        return Ok(OrderId(number));
    }
    let mut parts = text.split('-');
    let (Some(session), Some(strategy), Some(counter), None) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return Err(wrong());
    };
    let strategy = if strategy == "risk" {
        StrategyId::RISK
    } else if strategy == "venue" {
        StrategyId::VENUE
    } else {
        StrategyId(strategy.parse().map_err(|_| wrong())?)
    };
    let session: u16 = session.parse().map_err(|_| wrong())?;
    let counter: u64 = counter.parse().map_err(|_| wrong())?;
    if !(1..=OrderId::COUNTER_MAX).contains(&counter) {
        return Err(wrong());
    }
    Ok(OrderId::new(session, strategy, counter))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_read_as_they_are_printed() {
        for id in [
            OrderId::new(1, StrategyId(0), 17),
            OrderId::new(9, StrategyId::RISK, 2),
            OrderId::new(9, StrategyId::VENUE, 3),
            OrderId::new(u16::MAX, StrategyId(254), OrderId::COUNTER_MAX),
        ] {
            assert_eq!(parse_order_id(&id.to_string()), Ok(id));
            assert_eq!(parse_order_id(&id.0.to_string()), Ok(id));
        }
        for wrong in
            ["", "x", "1-0", "1-0-0", "1-0-17-3", "1-300-1", "70000-0-1", "1-alpha-1", "-1"]
        {
            assert!(parse_order_id(wrong).unwrap_err().contains("no order id"), "{wrong}");
        }
    }
}
