//! Instruments as a header lists them: every field, decimals as texts, what an instrument lacks as `null`.

use fusewire_core::instrument::{ContractType, Instrument, Life, LotSize, PercentPrice};
use fusewire_core::units::{DECIMALS, Nanos, NumberError, Px, Qty, Rate, Usd};
use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::named::present;

/// Writes the list.
pub(super) fn serialize<S: Serializer>(
    instruments: &[Instrument],
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(instruments.iter().map(InstrumentRecord::from))
}

/// Reads the list.
pub(super) fn deserialize<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Vec<Instrument>, D::Error> {
    let records: Vec<InstrumentRecord> = Vec::deserialize(deserializer)?;
    let read = |(index, record): (usize, &InstrumentRecord)| {
        let failed = |what| format!("instruments[{index}] ({}): {what}", record.symbol);
        record.instrument().map_err(failed).map_err(D::Error::custom)
    };
    records.iter().enumerate().map(read).collect()
}

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct InstrumentRecord {
    market: String,
    symbol: String,
    contract_type: String,
    trading: bool,
    #[serde(deserialize_with = "present")]
    tick: Option<String>,
    lot: LotRecord,
    market_lot: LotRecord,
    #[serde(deserialize_with = "present")]
    min_notional: Option<String>,
    #[serde(deserialize_with = "present")]
    percent_price: Option<PercentPriceRecord>,
    #[serde(deserialize_with = "present")]
    max_orders: Option<u32>,
    contract_size: String,
    price_places: u32,
    qty_places: u32,
    /// In ns since 1970. Journals from before there was the field, and contracts of which nobody knows, have none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    listed_ns: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    delisted_ns: Option<u64>,
}

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct LotRecord {
    min: String,
    max: String,
    step: String,
}

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct PercentPriceRecord {
    up: String,
    down: String,
}

impl From<&Instrument> for InstrumentRecord {
    fn from(instrument: &Instrument) -> Self {
        // A field that is added must be written, too.
        let Instrument {
            market,
            symbol,
            contract_type,
            trading,
            tick,
            lot,
            market_lot,
            min_notional,
            percent_price,
            max_orders,
            contract_size,
            price_places,
            qty_places,
            life: Life { listed, delisted },
        } = instrument;
        let band = |PercentPrice { up, down }: &PercentPrice| PercentPriceRecord {
            up: up.to_string(),
            down: down.to_string(),
        };
        Self {
            market: market.to_string(),
            symbol: symbol.clone(),
            contract_type: contract_name(*contract_type).to_owned(),
            trading: *trading,
            tick: tick.as_ref().map(Px::to_string),
            lot: lot.into(),
            market_lot: market_lot.into(),
            min_notional: min_notional.as_ref().map(Usd::to_string),
            percent_price: percent_price.as_ref().map(band),
            max_orders: *max_orders,
            contract_size: contract_size.to_string(),
            price_places: *price_places,
            qty_places: *qty_places,
            listed_ns: listed.map(|at| at.0),
            delisted_ns: delisted.map(|at| at.0),
        }
    }
}

impl From<&LotSize> for LotRecord {
    fn from(LotSize { min, max, step }: &LotSize) -> Self {
        Self { min: min.to_string(), max: max.to_string(), step: step.to_string() }
    }
}

impl InstrumentRecord {
    /// The instrument. What a source of instruments would have refused is refused here, too: the stages
    /// divide by steps and multiply by sizes.
    fn instrument(&self) -> Result<Instrument, String> {
        if self.symbol.is_empty() {
            return Err("symbol is empty".to_owned());
        }
        if self.max_orders == Some(0) {
            return Err("max_orders must be above zero".to_owned());
        }
        if self.price_places > DECIMALS || self.qty_places > DECIMALS {
            return Err(format!("price_places and qty_places are at most {DECIMALS}"));
        }
        let tick = self.tick.as_ref().map(|tick| exact("tick", tick, Px::parse)).transpose()?;
        above(tick.is_none_or(|tick| tick > Px::ZERO), "tick")?;
        let contract_size = exact("contract_size", &self.contract_size, Usd::parse)?;
        above(contract_size > Usd::ZERO, "contract_size")?;
        Ok(Instrument {
            market: self.market.parse()?,
            symbol: self.symbol.clone(),
            contract_type: contract_type(&self.contract_type)?,
            trading: self.trading,
            tick,
            lot: self.lot.lot("lot")?,
            market_lot: self.market_lot.lot("market_lot")?,
            min_notional: self.min_notional()?,
            percent_price: self.percent_price.as_ref().map(PercentPriceRecord::band).transpose()?,
            max_orders: self.max_orders,
            contract_size,
            price_places: self.price_places,
            qty_places: self.qty_places,
            life: Life { listed: self.listed_ns.map(Nanos), delisted: self.delisted_ns.map(Nanos) },
        })
    }

    fn min_notional(&self) -> Result<Option<Usd>, String> {
        let Some(text) = &self.min_notional else { return Ok(None) };
        let value = exact("min_notional", text, Usd::parse)?;
        if value < Usd::ZERO {
            return Err("min_notional must not be negative".to_owned());
        }
        Ok(Some(value))
    }
}

impl LotRecord {
    fn lot(&self, key: &str) -> Result<LotSize, String> {
        let part = |name: &str, text: &str| exact(&format!("{key}.{name}"), text, Qty::parse);
        let (min, max, step) =
            (part("min", &self.min)?, part("max", &self.max)?, part("step", &self.step)?);
        above(step > Qty::ZERO, &format!("{key}.step"))?;
        if min < Qty::ZERO || max < min {
            return Err(format!("{key}.min must not be negative, {key}.max not below it"));
        }
        Ok(LotSize { min, max, step })
    }
}

impl PercentPriceRecord {
    fn band(&self) -> Result<PercentPrice, String> {
        let up = exact("percent_price.up", &self.up, Rate::parse)?;
        let down = exact("percent_price.down", &self.down, Rate::parse)?;
        if down < Rate::ZERO || up < down {
            return Err(
                "percent_price.down must not be negative, percent_price.up not below it".to_owned()
            );
        }
        Ok(PercentPrice { up, down })
    }
}

fn above(holds: bool, key: &str) -> Result<(), String> {
    if holds { Ok(()) } else { Err(format!("{key} must be above zero")) }
}

fn exact<T>(
    key: &str,
    text: &str,
    parse: fn(&[u8]) -> Result<T, NumberError>,
) -> Result<T, String> {
    parse(text.as_bytes()).map_err(|error| format!("{key} = \"{text}\": {error}"))
}

/// The names of `[[instrument]]`, and one for what it can not describe.
const fn contract_name(contract_type: ContractType) -> &'static str {
    match contract_type {
        ContractType::Perpetual => "perpetual",
        ContractType::Dated => "dated",
        ContractType::TradFiPerpetual => "tradfi",
        ContractType::Spot => "spot",
        ContractType::Unknown => "unknown",
    }
}

const CONTRACT_TYPES: [ContractType; 5] = [
    ContractType::Perpetual,
    ContractType::Dated,
    ContractType::TradFiPerpetual,
    ContractType::Spot,
    ContractType::Unknown,
];

fn contract_type(name: &str) -> Result<ContractType, String> {
    let found = CONTRACT_TYPES.into_iter().find(|known| contract_name(*known) == name);
    found.ok_or_else(|| format!("unknown contract_type '{name}'"))
}
