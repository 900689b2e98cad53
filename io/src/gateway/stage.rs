//! The gateway as a stage: one message in, feedback out, and the number of the last event that is done.

use fusewire_core::event::Event;
use fusewire_core::kill::{KillSwitch, Level};
use fusewire_core::lane::{Keep, LaneWriter, Record};
use fusewire_core::latency::{Probe, Stamp};
use fusewire_core::message::{Feedback, RiskOut, VerdictMessage};
use fusewire_core::order::{Action, Approved, Rejection, Verdict};
use fusewire_core::ring::{Consumer, Producer, pop_in_place};
use fusewire_core::stage::{DoneSeq, Stage};
use fusewire_core::units::Nanos;

use super::latch::{Latch, refusal};
use super::levels::{Levels, Step};
use super::recorded::{Recorded, RecordedOutcome, Violation};
use super::wire::{OrderEncoder, Request};
use super::{Feedbacks, GatewayConfig, Venue};

/// The rings of the gateway.
#[derive(Debug)]
pub struct Ports {
    /// Events and verdicts from risk.
    pub input: Consumer<RiskOut>,
    /// To the sequencer.
    pub feedback: Producer<Feedback>,
}

/// What the gateway did so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct GatewayCounts {
    /// New orders sent, conditional ones included.
    pub new: u64,
    /// Amends sent.
    pub amends: u64,
    /// Cancels sent.
    pub cancels: u64,
    /// Queries sent.
    pub queries: u64,
    /// Approved intents that the kill level stopped here.
    pub blocked: u64,
    /// Rejections of risk that were passed back.
    pub rejected: u64,
    /// Times that everything was cancelled at kill level 3.
    pub cancel_alls: u64,
    /// Bytes of the requests of all that was sent, as they would go over the wire but for key, time and
    /// signature.
    pub wire_bytes: u64,
}

/// The order gateway before a venue.
#[derive(Debug)]
pub struct GatewayStage<V: Venue> {
    input: Consumer<RiskOut>,
    desk: Desk<V>,
}

/// What messages are shown to, where they lie on the ring.
#[derive(Debug)]
struct Desk<V: Venue> {
    feedback: Producer<Feedback>,
    local_reject_delay: Nanos,
    encoder: OrderEncoder,
    /// What was encoded last.
    request: Request,
    venue: V,
    out: Feedbacks,
    levels: Levels,
    done: DoneSeq,
    /// The event whose last message was handled, until its feedback is on the ring.
    finishing: Option<u64>,
    lane: LaneWriter,
    counts: GatewayCounts,
    /// The last event, when its first order is encoded before the venue is told of it: what that makes of an event,
    /// a paper venue its whole book, would only keep the order waiting.
    untold: Option<Event>,
    /// Everything is being cancelled. Set between two messages only after a panic.
    cancelling: bool,
    /// The last event: its verdicts follow it.
    seq: u64,
    ts: Nanos,
    stamp: Stamp,
    probe: Probe,
}

impl<V: Venue> GatewayStage<V> {
    /// Nothing sent so far. What goes to the venue is encoded as it would be for the wire.
    ///
    /// # Panics
    /// When `config` is not valid.
    #[must_use]
    pub fn new(
        config: GatewayConfig,
        (encoder, venue): (OrderEncoder, V),
        ports: Ports,
        kill: KillSwitch,
        done: DoneSeq,
        keep: Keep,
    ) -> Self {
        Self::with_levels(
            config,
            (encoder, venue),
            ports,
            Levels::Live(Latch::new(kill)),
            done,
            keep,
        )
    }

    /// A gateway that does again what was recorded, see `record_outcome`. `kill` is private to the rerun:
    /// risk raises it and nobody else. The outcomes of events up to `whole_until` are all recorded: that
    /// is `u64::MAX` but for a recording that was interrupted.
    ///
    /// # Panics
    /// When `config` is not valid.
    #[must_use]
    pub fn recorded(
        config: GatewayConfig,
        (encoder, venue): (OrderEncoder, V),
        ports: Ports,
        kill: KillSwitch,
        whole_until: u64,
        done: DoneSeq,
        keep: Keep,
    ) -> Self {
        let levels = Levels::Recorded(Box::new(Recorded::new(kill, whole_until)));
        Self::with_levels(config, (encoder, venue), ports, levels, done, keep)
    }

    fn with_levels(
        config: GatewayConfig,
        (encoder, venue): (OrderEncoder, V),
        ports: Ports,
        levels: Levels,
        done: DoneSeq,
        keep: Keep,
    ) -> Self {
        assert_eq!(config.validate(), Ok(()), "the configuration is checked at start");
        let Ports { input, feedback } = ports;
        let desk = Desk {
            feedback,
            local_reject_delay: config.local_reject_delay,
            encoder,
            request: Request::default(),
            venue,
            out: Feedbacks::new(config.feedback_outbox_max),
            levels,
            done,
            finishing: None,
            lane: LaneWriter::new(keep),
            counts: GatewayCounts::default(),
            untold: None,
            cancelling: false,
            seq: 0,
            ts: Nanos(0),
            stamp: Stamp::default(),
            probe: Probe::default(),
        };
        Self { input, desk }
    }

    /// Measures with this from here on.
    pub fn measure(&mut self, probe: Probe) {
        self.desk.probe = probe;
    }

    /// What was sent and what was stopped.
    #[must_use]
    pub fn lane(&self) -> &LaneWriter {
        &self.desk.lane
    }

    /// The same lane, to begin and to end a journal.
    pub fn lane_mut(&mut self) -> &mut LaneWriter {
        &mut self.desk.lane
    }

    /// What was done so far.
    #[must_use]
    pub fn counts(&self) -> &GatewayCounts {
        &self.desk.counts
    }

    /// The request that was encoded last: it was sent, unless the kill word rose just then. Empty before.
    #[must_use]
    pub fn request(&self) -> &Request {
        &self.desk.request
    }

    /// The venue.
    #[must_use]
    pub fn venue(&self) -> &V {
        &self.desk.venue
    }

    /// A record of the gateway's lane. Those of an event are given in lane order before the event itself
    /// comes; those of event 0, before the first.
    ///
    /// # Panics
    /// When the stage is a live one.
    pub fn record_outcome(&mut self, seq: u64, outcome: RecordedOutcome) {
        match &mut self.desk.levels {
            Levels::Recorded(recorded) => recorded.push(seq, outcome),
            Levels::Live(_) => panic!("a live gateway decides by itself"),
        }
    }

    /// What the recorded gateway can not have done: the first few, and how many there are.
    #[must_use]
    pub fn violations(&self) -> (&[Violation], u64) {
        match &self.desk.levels {
            Levels::Recorded(recorded) => recorded.violations(),
            Levels::Live(_) => (&[], 0),
        }
    }
}

impl<V: Venue> Desk<V> {
    /// Cancels everything when the kill level has come to the highest.
    fn watch(&mut self) {
        while self.cancelling || self.levels.takes_cancel_all(self.seq) {
            self.cancel_all();
        }
    }

    /// The venue knows of the last event then, here as when it is done again. Should it fail over that, everything
    /// is still to be cancelled.
    #[cold]
    fn cancel_all(&mut self) {
        self.cancelling = true;
        self.tell_venue();
        self.lane.append(&Record::cancel_all(self.seq));
        self.counts.cancel_alls += 1;
        self.venue.cancel_all(self.seq, self.ts, &mut self.out);
        self.cancelling = false;
    }

    fn handle(&mut self, message: &RiskOut) {
        let (seq, last) = match message {
            RiskOut::Event(event) => {
                self.event(event);
                (event.seq, event.last)
            }
            RiskOut::Verdict(message) => {
                self.verdict(message);
                (message.seq, message.last)
            }
        };
        if last {
            self.tell_venue();
            while self.levels.settle(seq) {
                self.cancel_all();
            }
            self.probe.pass(&mut { self.stamp });
            self.finishing = Some(seq);
        }
    }

    fn event(&mut self, event: &Event) {
        (self.seq, self.ts, self.stamp) = (event.seq, event.ts, event.stamp);
        self.lane.stamp(self.probe.at(event.stamp));
        self.levels.on_event(event);
        if event.last {
            self.venue.on_event(event, &mut self.out);
        } else {
            self.untold = Some(*event);
        }
    }

    /// Tells the venue of the last event, if it was not told yet.
    fn tell_venue(&mut self) {
        if let Some(event) = self.untold.take() {
            self.venue.on_event(&event, &mut self.out);
        }
    }

    fn verdict(&mut self, message: &VerdictMessage) {
        assert_eq!(message.seq, self.seq, "the cause comes before its verdicts");
        match &message.verdict {
            Verdict::Approved(approved) => self.approved(message.index, approved),
            Verdict::Rejected(rejection) => {
                self.counts.rejected += 1;
                self.reject(message.index, rejection);
            }
        }
    }

    /// The kill word is read as the last thing before the order leaves, and the record is written before
    /// it does.
    fn approved(&mut self, index: u32, approved: &Approved) {
        loop {
            match self.levels.step(self.seq, index, approved.class()) {
                Step::CancelAll => self.cancel_all(),
                Step::Send => {
                    self.encoder.encode(self.seq, index, approved, &mut self.request);
                    self.probe.trade(self.stamp);
                    self.tell_venue();
                    if self.levels.still_sends(approved.class()) {
                        return self.send(index, approved);
                    }
                }
                Step::Block(level) => return self.block(index, approved, level),
                Step::Omit => return,
            }
        }
    }

    /// Sends what is encoded.
    fn send(&mut self, index: u32, approved: &Approved) {
        self.counts.wire_bytes += self.request.as_bytes().len() as u64;
        self.lane.append(&Record::sent(self.seq, index, approved, None));
        self.count(&approved.intent().action);
        self.venue.send(self.seq, self.ts, approved, &mut self.out);
    }

    fn block(&mut self, index: u32, approved: &Approved, level: Level) {
        self.lane.append(&Record::sent(self.seq, index, approved, Some(level as u8)));
        self.counts.blocked += 1;
        // A level that allows the class refuses nothing. Only a recording that lies has one here.
        if let Some(rejection) = refusal(level, approved.class(), approved.intent()) {
            self.reject(index, &rejection);
        }
    }

    fn count(&mut self, action: &Action) {
        *match action {
            Action::New(_) | Action::Conditional(_) => &mut self.counts.new,
            Action::Amend { .. } => &mut self.counts.amends,
            Action::Cancel => &mut self.counts.cancels,
            Action::Query => &mut self.counts.queries,
        } += 1;
    }

    /// A refusal waits for nothing, so that the venue is told first and finds the room that it is promised.
    fn reject(&mut self, index: u32, rejection: &Rejection) {
        self.tell_venue();
        let due = self.ts.after(self.local_reject_delay);
        self.out.reject(due, self.seq, index, rejection);
    }

    /// Moves feedback on, and says that an event is done when all of its feedback is on the ring.
    fn deliver(&mut self) -> usize {
        let moved = self.out.flush(&mut self.feedback);
        if self.out.is_empty()
            && let Some(seq) = self.finishing.take()
        {
            self.lane.done(seq);
            self.done.set(seq);
        }
        moved
    }
}

impl<V: Venue> Stage for GatewayStage<V> {
    fn name(&self) -> &'static str {
        "gateway"
    }

    fn poll(&mut self) -> usize {
        let Self { input, desk } = self;
        let mut work = desk.deliver();
        // Cancelling everything waits neither for room nor for a message, nor for the journal, which
        // keeps room for its record: the stages before this one may be gone for ever. The word is read
        // after the message was seen, and the record names the event before it, so that it is the same
        // whether the word was seen early or late.
        let takes = desk.out.is_empty() && desk.lane.ready() && input.peek().is_ok();
        desk.watch();
        if takes {
            work += usize::from(pop_in_place(input, |message| desk.handle(message)).is_some());
        }
        work + desk.deliver()
    }

    fn rest(&mut self) -> usize {
        self.desk.lane.rest()
    }
}
