//! The Lambda function.

fn main() {
    unimplemented!()
}
