//! Events that history files give and no websocket frame does.

use super::super::fields::FieldReader;
use super::DecodeError;
use crate::event::{DepthBand, Funding, OpenInterest};
use crate::units::{Bps, Rate};

impl FieldReader<'_> {
    pub(super) fn funding(&mut self) -> Result<Funding, DecodeError> {
        Ok(Funding { at: self.nanos("at")?, rate: Rate(self.i64("rate")?) })
    }

    pub(super) fn open_interest(&mut self) -> Result<OpenInterest, DecodeError> {
        Ok(OpenInterest {
            at: self.nanos("at")?,
            qty: self.optional("qty", Self::wide)?,
            notional: self.optional("notional", Self::wide)?,
        })
    }

    pub(super) fn depth_band(&mut self) -> Result<DepthBand, DecodeError> {
        Ok(DepthBand {
            at: self.nanos("at")?,
            distance: Bps(self.i64("distance")?),
            qty: self.wide("qty")?,
            notional: self.wide("notional")?,
        })
    }
}
