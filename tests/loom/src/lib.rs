//! Models of the words by which threads tell each other how far they are. Loom runs every interleaving that
//! the memory model of the language allows, within a bound of preemptions.
//!
//! The words of the journal are not copied: `core/src/journal/words.rs` is compiled here a second time, over
//! atomics of loom. Each property also has a control that must fail: a model that can not fail says nothing.

#[cfg(test)]
mod publish;
#[cfg(test)]
mod real;
#[cfg(test)]
mod ring;
#[cfg(test)]
mod run;
#[cfg(test)]
mod slots;
#[cfg(test)]
mod watermark;
#[cfg(test)]
mod weak;
