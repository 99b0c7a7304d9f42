//! Transfers between accounts that must not be overdrawn too far: optimistic transactions, which
//! watch the accounts, read them, and write what they have worked out.

use quoris_resp::Reply;

use super::{Context, told};
use crate::client::{Answer, Client};
use crate::history::{Ask, Told};

/// The name under which the history knows all accounts.
const BANK: &str = "{bank}";
/// How many accounts there are. All begin with nothing.
const ACCOUNTS: usize = 4;
/// How far an account may be overdrawn.
pub const OVERDRAFT_MAX: i64 = 50;

/// Works until it is told to stop.
pub async fn run(context: &mut Context) {
    let mut client = context.connect();
    while !context.stop.get() {
        if context.random.percent(30) {
            read(context, &mut client).await;
        } else {
            transfer(context, &mut client).await;
        }
        context.pause().await;
    }
}

/// Reads all accounts.
pub async fn finish(context: &mut Context) {
    let mut client = context.connect();
    while !read(context, &mut client).await {}
}

async fn transfer(context: &mut Context, client: &mut Client) {
    let from = context.random.below(ACCOUNTS as u64) as usize;
    let to = (from + 1 + context.random.below(ACCOUNTS as u64 - 1) as usize) % ACCOUNTS;
    let amount = 1 + context.random.below(30) as i64;
    let [source, target] = [account(from), account(to)];
    let Some(balances) = client.watch(&[&source, &target]).await else { return };
    let [left, more] = [balance(&balances[0]) - amount, balance(&balances[1]) + amount];
    if left < -OVERDRAFT_MAX {
        // Whatever comes of it, the next EXEC can only fail more often.
        client.request(&["UNWATCH"]).await;
        return;
    }
    let pending = context.call(BANK, Ask::Transfer { from, to, amount });
    let [left, more] = [left.to_string(), more.to_string()];
    let answer = client.exec(&[&["SET", &source, &left], &["SET", &target, &more]]).await;
    let done = |reply: &Reply| if *reply == Reply::Null { Told::Refused } else { Told::Ok };
    context.history.returned(&pending, told(answer, done));
}

async fn read(context: &mut Context, client: &mut Client) -> bool {
    let pending = context.call(BANK, Ask::ReadAccounts);
    let names: Vec<String> = (0..ACCOUNTS).map(account).collect();
    let gets: Vec<[&str; 2]> = names.iter().map(|name| ["GET", name.as_str()]).collect();
    let gets: Vec<&[&str]> = gets.iter().map(|get| &get[..]).collect();
    let answer = client.transaction(&gets).await;
    let is_read = matches!(answer, Answer::Reply(_));
    let balances = |reply: &Reply| {
        let replies = reply.as_slice().expect("nothing is watched");
        Told::Balances(replies.iter().map(balance).collect())
    };
    context.history.returned(&pending, told(answer, balances));
    is_read
}

fn account(number: usize) -> String {
    format!("{BANK}:{number}")
}

fn balance(reply: &Reply) -> i64 {
    match reply {
        Reply::Null => 0,
        reply => reply.as_str().and_then(|text| text.parse().ok()).expect("a balance is a number"),
    }
}
