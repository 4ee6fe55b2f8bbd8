//! SNS: topics, and the mails they send; and who is asking (STS).

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::wire::{Answer, Refusal, Request};
use super::{ACCOUNT, REGION};

/// Bytes of a message with its attributes.
const LONGEST: usize = 262_144;

/// What a subscriber receives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mail {
    pub topic: String,
    pub subject: String,
    pub body: String,
    pub attributes: BTreeMap<String, String>,
}

#[derive(Debug, Clone, Default)]
pub struct Sns {
    pub topics: BTreeSet<String>,
    pub mails: Vec<Mail>,
    /// Events that a subscribed function has not been given yet.
    pub deliveries: Vec<Value>,
}

impl Sns {
    /// The new topic's ARN.
    pub fn create_topic(&mut self, name: &str) -> String {
        let arn = format!("arn:aws:sns:{REGION}:{ACCOUNT}:{name}");
        self.topics.insert(arn.clone());
        arn
    }

    pub fn handle(&mut self, request: &Request) -> Result<Answer, Refusal> {
        match request.action.as_str() {
            "CreateTopic" => {
                let arn = self.create_topic(request.field("Name"));
                Ok(answered("CreateTopic", &format!("<TopicArn>{arn}</TopicArn>")))
            }
            "Publish" => self.publish(request),
            other => panic!("the fake's SNS has no {other}"),
        }
    }

    fn publish(&mut self, request: &Request) -> Result<Answer, Refusal> {
        let topic = request.field("TopicArn");
        if !self.topics.contains(topic) {
            return Err(Refusal::new(404, "NotFound", "Topic does not exist"));
        }
        let mail = Mail {
            topic: topic.to_owned(),
            subject: request.field("Subject").to_owned(),
            body: request.field("Message").to_owned(),
            attributes: attributes(request)?,
        };
        refuse(request, &mail)?;
        self.deliveries.push(delivery(&mail));
        self.mails.push(mail);
        Ok(answered("Publish", &format!("<MessageId>{:036}</MessageId>", self.mails.len())))
    }
}

/// A message as a function gets it. <https://docs.aws.amazon.com/lambda/latest/dg/with-sns.html>
fn delivery(mail: &Mail) -> Value {
    let attribute = |(name, value): (&String, &String)| (name.clone(), json!({"Type": "String", "Value": value}));
    let attributes: serde_json::Map<_, _> = mail.attributes.iter().map(attribute).collect();
    let message = json!({
        "Type": "Notification", "MessageId": "1", "TopicArn": mail.topic, "Subject": mail.subject, "Message": mail.body,
        "Timestamp": "2026-01-02T03:04:05.000Z", "MessageAttributes": attributes,
    });
    json!({"Records": [{"EventSource": "aws:sns", "EventVersion": "1.0", "Sns": message}]})
}

/// What all readers of the documentation agree on; the SDK leaves out a subject that is not set.
/// <https://docs.aws.amazon.com/sns/latest/api/API_Publish.html>
fn refuse(request: &Request, mail: &Mail) -> Result<(), Refusal> {
    let plain = |c: char| c.is_ascii_graphic() || c == ' ';
    let subject = &mail.subject;
    let is_valid = (1..100).contains(&subject.len()) && subject.chars().all(plain) && !subject.starts_with(' ');
    if request.fields.contains_key("Subject") && !is_valid {
        return Err(invalid("Invalid parameter: Subject"));
    }
    if mail.body.is_empty() {
        return Err(invalid("Invalid parameter: Empty message"));
    }
    let attributes: usize = mail.attributes.iter().map(|(name, value)| name.len() + value.len() + "String".len()).sum();
    if mail.body.len() + attributes > LONGEST {
        return Err(invalid("Invalid parameter: Message too long"));
    }
    Ok(())
}

fn attributes(request: &Request) -> Result<BTreeMap<String, String>, Refusal> {
    let mut found = BTreeMap::new();
    for entry in (1..).map(|number| format!("MessageAttributes.entry.{number}")) {
        let Some(name) = request.fields.get(&format!("{entry}.Name")) else { break };
        let value = request.field(&format!("{entry}.Value.StringValue"));
        if value.is_empty() || request.field(&format!("{entry}.Value.DataType")) != "String" {
            return Err(Refusal::new(400, "ParameterValueInvalid", format!("The message attribute '{name}' is empty")));
        }
        found.insert(name.clone(), value.to_owned());
    }
    Ok(found)
}

fn invalid(message: &str) -> Refusal {
    Refusal::new(400, "InvalidParameter", message)
}

pub fn identity(request: &Request) -> Result<Answer, Refusal> {
    assert_eq!(request.action, "GetCallerIdentity");
    let arn = format!("arn:aws:iam::{ACCOUNT}:user/ann");
    let body = format!("<Arn>{arn}</Arn><UserId>AIDAEXAMPLE</UserId><Account>{ACCOUNT}</Account>");
    Ok(answered("GetCallerIdentity", &body))
}

fn answered(action: &str, result: &str) -> Answer {
    Answer::xml(format!(
        "<{action}Response><{action}Result>{result}</{action}Result>\
         <ResponseMetadata><RequestId>1</RequestId></ResponseMetadata></{action}Response>"
    ))
}
