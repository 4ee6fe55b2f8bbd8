//! The log of calls, and what goes wrong with one of them.

use super::wire::{Refusal, Request};

/// One call that was made, however often the SDK tried it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    pub service: &'static str,
    pub action: String,
    pub resource: String,
    /// From 1, among the calls of this service and action.
    pub nth: usize,
    pub attempts: usize,
    invocation: String,
}

impl Call {
    /// In another run it would be this one.
    pub fn is_same(&self, other: &Self) -> bool {
        (self.service, &self.action, self.nth) == (other.service, &other.action, other.nth)
    }
}

/// What goes wrong, with which call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    pub service: &'static str,
    pub action: String,
    /// From 1, counted from when the fault was set.
    pub nth: usize,
    pub kind: FaultKind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum FaultKind {
    /// The first attempt is throttled.
    Throttled,
    /// Every attempt meets an internal error.
    InternalError,
    AccessDenied,
    /// The first attempt takes effect, and the connection breaks before the answer.
    AnswerLost,
    /// Every attempt does.
    EveryAnswerLost,
    /// No answer ever comes.
    Silence,
    /// The process dies before the call leaves it.
    CrashBefore,
    /// The call takes effect, and the process dies before the answer.
    CrashAfter,
}

impl FaultKind {
    pub const ALL: [Self; 7] = [
        Self::Throttled,
        Self::InternalError,
        Self::AccessDenied,
        Self::AnswerLost,
        Self::EveryAnswerLost,
        Self::CrashBefore,
        Self::CrashAfter,
    ];

    /// The SDK's own retry mends it.
    pub fn is_transient(self) -> bool {
        matches!(self, Self::Throttled | Self::AnswerLost)
    }

    pub fn is_crash(self) -> bool {
        matches!(self, Self::CrashBefore | Self::CrashAfter)
    }

    /// What the service answers instead, if it is the service that fails.
    pub fn refusal(self, service: &str) -> Option<Refusal> {
        let (status, code) = match (self, service) {
            (Self::Throttled, "s3") => (503, "SlowDown"),
            (Self::Throttled, "sns") => (400, "Throttling"),
            (Self::Throttled, _) => (400, "ThrottlingException"),
            (Self::InternalError, "glue") => (500, "InternalServiceException"),
            (Self::InternalError, "athena") => (500, "InternalServerException"),
            (Self::InternalError, _) => (500, "InternalError"),
            (Self::AccessDenied, "s3" | "sts") => (403, "AccessDenied"),
            (Self::AccessDenied, "sns") => (403, "AuthorizationError"),
            (Self::AccessDenied, _) => (400, "AccessDeniedException"),
            _ => return None,
        };
        Some(Refusal::new(status, code, "the test said so"))
    }
}

/// All calls so far, and the faults that are set.
#[derive(Debug, Clone, Default)]
pub struct Calls {
    pub log: Vec<Call>,
    faults: Vec<Fault>,
}

impl Calls {
    /// Forgets the calls so far, and sets one fault for those to come.
    pub fn reset(&mut self, fault: Option<Fault>) {
        self.log.clear();
        self.faults = fault.into_iter().collect();
    }

    pub fn count(&self, service: &str, action: &str) -> usize {
        self.log.iter().filter(|call| call.service == service && call.action == action).count()
    }

    /// Sets one more fault.
    pub fn also(&mut self, fault: Fault) {
        self.faults.push(fault);
    }

    /// Notes an attempt, and tells what goes wrong with it.
    pub fn note(&mut self, request: &Request) -> Option<FaultKind> {
        let known = self.log.iter().rposition(|call| call.invocation == request.invocation());
        let at = known.unwrap_or_else(|| self.add(request));
        let call = &mut self.log[at];
        call.attempts += 1;
        let fault = self.faults.iter().find(|fault| {
            (fault.service, &fault.action, fault.nth) == (call.service, &call.action, call.nth)
                && (call.attempts == 1 || !fault.kind.is_transient())
        });
        fault.map(|fault| fault.kind)
    }

    fn add(&mut self, request: &Request) -> usize {
        self.log.push(Call {
            service: request.service,
            action: request.action.clone(),
            resource: request.resource.clone(),
            nth: self.count(request.service, &request.action) + 1,
            attempts: 0,
            invocation: request.invocation().to_owned(),
        });
        self.log.len() - 1
    }
}
