//! The calls of an answer: each gets an id of its own and, here or from its tool, exactly one result.

use marple_core::Conclusion;
use serde_json::{Map, Value};

use super::results::Slot;
use super::seen::{Seen, key};
use super::{Phase, Run};
use crate::conclude::{self, CONCLUDE};
use crate::hypothesis::{self, HYPOTHESES};
use crate::model::{Aside, WrittenCall};
use crate::prompts::{Note, Prompts};
use crate::{Message, Mode, ModelAnswer, ToolCall};

/// Calls that are made in one turn at most.
const AT_ONCE: usize = 16;
/// The longest id and name that OpenAI's API takes back.
const NAME: usize = 64;
/// The same call in so many turns is going round in circles.
const CIRCLES: u32 = 3;
/// So much is told of arguments that are no JSON, in characters.
const OF_ARGUMENTS: usize = 300;

impl Run {
    /// The model called tools.
    pub(super) fn called(&mut self, answer: ModelAnswer, prompts: &Prompts) {
        let ModelAnswer { content, calls: mut written, aside, .. } = answer;
        let extras: Vec<Map<String, Value>> = written.iter_mut().map(|call| std::mem::take(&mut call.extra)).collect();
        let mut read: Vec<(ToolCall, Option<String>)> = self.read(written, prompts);
        let calls: Vec<ToolCall> = read.iter().map(|(call, _)| call.clone()).collect();
        let extras = calls.iter().map(|call| call.id.clone()).zip(extras).filter(|(_, extra)| !extra.is_empty());
        let aside = aside.map(|aside| Box::new(Aside { calls: extras.collect(), ..*aside }));
        self.transcript.answered(Message::Assistant { content, calls, aside });
        let concludes = |(call, fault): &(ToolCall, Option<String>)| {
            self.mode == Mode::Conclude && call.name == CONCLUDE && fault.is_none()
        };
        let places = read.iter().enumerate().filter(|(_, one)| concludes(one));
        let mut conclusions: Vec<(usize, Result<Conclusion, String>)> =
            places.map(|(place, (call, _))| (place, conclude::read(call.arguments.clone()))).collect();
        let readable = conclusions.iter().position(|(_, conclusion)| conclusion.is_ok());
        let alone = (read.len() == 1 && conclusions.len() == 1).then_some(0);
        if let Some(chosen) = readable.or(alone) {
            let (place, conclusion) = conclusions.swap_remove(chosen);
            return self.concluded(read, place, conclusion, prompts);
        }
        // One that can't be read counts for nothing, so the looks beside it are worth making.
        for (place, conclusion) in conclusions {
            if let (Some((_, said)), Err(fault)) = (read.get_mut(place), conclusion) {
                *said = Some(prompts.note(&Note::BadConclusion { fault: &fault }));
            }
        }
        let (mut circles, mut weighed) = (false, false);
        let mut slots: Vec<Slot> = Vec::new();
        for (call, mut fault) in read {
            if fault.is_none() && self.weighs(&call) {
                weighed = true;
                fault = Some(self.weigh(&call, prompts));
            }
            let key = key(&call.name, &call.arguments);
            let pending = slots.iter().filter(|slot| slot.said.is_none()).count();
            let slot = match fault.or_else(|| self.refused(&call, pending, prompts)) {
                Some(said) => Slot { said: Some(said), fold: None, key, call },
                None => self.slot(call, key, &mut circles, prompts),
            };
            slots.push(slot);
        }
        if slots.iter().any(|slot| slot.said.is_none()) {
            self.misses = 0;
            if circles {
                self.force_for_circles(prompts, slots);
            } else {
                self.phase = Phase::Tools { slots };
            }
            return;
        }
        let shown_again = slots.iter().any(|slot| slot.fold.is_some());
        self.append(slots);
        if circles && self.forced.is_none() {
            self.force("the same call was made three times".to_owned(), None, prompts);
            return self.ask(prompts);
        }
        if shown_again || weighed {
            return self.ask(prompts);
        }
        self.missed("none of its calls could be made", prompts);
    }

    /// It goes round in circles: the calls that are new in the same turn aren't made any more.
    fn force_for_circles(&mut self, prompts: &Prompts, mut slots: Vec<Slot>) {
        for slot in slots.iter_mut().filter(|slot| slot.said.is_none()) {
            slot.said = Some(prompts.note(&Note::NotNow { mode: self.mode }));
        }
        self.append(slots);
        self.force("the same call was made three times".to_owned(), None, prompts);
        self.ask(prompts);
    }

    /// The model concluded at this place; calls beside that aren't made.
    fn concluded(
        &mut self,
        read: Vec<(ToolCall, Option<String>)>,
        place: usize,
        conclusion: Result<Conclusion, String>,
        prompts: &Prompts,
    ) {
        let mut concluding = None;
        for (at, (call, fault)) in read.into_iter().enumerate() {
            if at == place {
                concluding = Some(call.id);
            } else {
                let said = match fault {
                    Some(fault) => fault,
                    None if self.weighs(&call) => self.weigh(&call, prompts),
                    None => prompts.note(&Note::BesideConclude {}),
                };
                self.transcript.result(call.id, said, None);
            }
        }
        match conclusion {
            Ok(conclusion) => self.phase = Phase::Check { conclusion: Box::new(conclusion), call: concluding },
            Err(fault) => {
                if let Some(id) = concluding {
                    self.transcript.result(id, prompts.note(&Note::BadConclusion { fault: &fault }), None);
                }
                self.missed(&fault, prompts);
            }
        }
    }

    /// Whether a call keeps hypotheses, which the machine does itself.
    fn weighs(&self, call: &ToolCall) -> bool {
        self.mode == Mode::Conclude && self.forced.is_none() && call.name == HYPOTHESES
    }

    /// Keeps the hypotheses of a call, and says so.
    fn weigh(&mut self, call: &ToolCall, prompts: &Prompts) -> String {
        match hypothesis::read(call.arguments.clone()) {
            Ok(hypotheses) => {
                self.hypotheses = hypotheses;
                self.cite();
                prompts.note(&Note::Weighed {})
            }
            Err(fault) => prompts.note(&Note::BadHypotheses { fault: &fault }),
        }
    }

    /// The calls with ids of their own and arguments that are objects, and what is wrong with those that can't be made.
    fn read(&mut self, written: Vec<WrittenCall>, prompts: &Prompts) -> Vec<(ToolCall, Option<String>)> {
        let mut read: Vec<(ToolCall, Option<String>)> = Vec::new();
        for WrittenCall { id, name, arguments, .. } in written {
            let taken = |id: &str| self.transcript.has_call(id) || read.iter().any(|(call, _)| call.id == id);
            let usable =
                |id: &String| !id.is_empty() && id.len() <= NAME && id.chars().all(|letter| letter.is_ascii_graphic());
            let id = match id.filter(usable).filter(|id| !taken(id)) {
                Some(id) => id,
                None => loop {
                    let id = format!("call_{}", self.next_id);
                    self.next_id += 1;
                    if !(self.transcript.has_call(&id) || read.iter().any(|(call, _)| call.id == id)) {
                        break id;
                    }
                },
            };
            let name = self.name(&name);
            let (arguments, fault) = match object(&arguments) {
                Ok(object) => (object, None),
                Err(fault) => {
                    let written: String = arguments.chars().take(OF_ARGUMENTS).collect();
                    (Map::new(), Some(prompts.note(&Note::BadArguments { fault: &fault, written: &written })))
                }
            };
            read.push((ToolCall { id, name, arguments }, fault));
        }
        read
    }

    /// The tool that is meant, without the prefix that some models write, in letters that servers take back.
    fn name(&self, written: &str) -> String {
        let offered = |name: &str| self.offers.iter().any(|offer| offer.name == name);
        let last = written.rsplit(['.', ':', '/']).next().unwrap_or(written);
        if !offered(written) && offered(last) {
            return last.to_owned();
        }
        let plain = |letter: char| if letter.is_ascii_alphanumeric() || letter == '-' { letter } else { '_' };
        let name: String = written.chars().map(plain).take(NAME).collect();
        if name.is_empty() { "unnamed".to_owned() } else { name }
    }

    /// Why a call isn't made, where it isn't.
    fn refused(&self, call: &ToolCall, pending: usize, prompts: &Prompts) -> Option<String> {
        let spent = u32::try_from(pending).unwrap_or(u32::MAX).saturating_add(self.calls) >= self.budget.tool_calls;
        if self.forced.is_some() {
            Some(prompts.note(&Note::NotNow { mode: self.mode }))
        } else if !self.offers.iter().any(|offer| offer.name == call.name) {
            let tools: Vec<&str> = self.offers.iter().map(|offer| offer.name.as_str()).collect();
            Some(prompts.note(&Note::NoSuchTool { name: &call.name, tools: &tools }))
        } else if pending >= AT_ONCE {
            Some(prompts.note(&Note::TooMany { most: AT_ONCE }))
        } else if spent {
            Some(prompts.note(&Note::CallsSpent { most: self.budget.tool_calls }))
        } else {
            None
        }
    }

    /// A call to be made, or the result that it had before.
    fn slot(&mut self, call: ToolCall, key: String, circles: &mut bool, prompts: &Prompts) -> Slot {
        let turn = self.turns;
        let Some(seen) = self.seen.get_mut(&key) else {
            let seen = Seen { call: call.id.clone(), evidence: None, times: 1, turn, again: false };
            self.seen.insert(key.clone(), seen);
            return Slot { call, key, said: None, fold: None };
        };
        if seen.turn != turn {
            seen.turn = turn;
            seen.times += 1;
            *circles |= seen.times >= CIRCLES;
            if seen.again {
                seen.again = false;
                seen.call.clone_from(&call.id);
                return Slot { call, key, said: None, fold: None };
            }
        }
        let evidence = seen.evidence;
        match self.transcript.folded_result(&seen.call) {
            Some((content, fold)) => {
                let said = format!("{}\n{content}", prompts.note(&Note::RepeatShown {}));
                seen.call.clone_from(&call.id);
                Slot { call, key, said: Some(said), fold: Some(fold) }
            }
            None => Slot { call, key, said: Some(prompts.note(&Note::Repeat { evidence })), fold: None },
        }
    }
}

/// The arguments as an object. Nothing at all is an object without fields, and JSON in a string is what it holds.
fn object(written: &str) -> Result<Map<String, Value>, String> {
    if matches!(written.trim(), "" | "null") {
        return Ok(Map::new());
    }
    match serde_json::from_str(written) {
        Ok(Value::Object(object)) => Ok(object),
        Ok(Value::String(inner)) => match serde_json::from_str(&inner) {
            Ok(Value::Object(object)) => Ok(object),
            _ => Err("they are a string".to_owned()),
        },
        Ok(_) => Err("they are JSON, but no object".to_owned()),
        Err(error) => Err(error.to_string()),
    }
}
