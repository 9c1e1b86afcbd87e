//! Listing the sessions of a user: which calls go to the server, shown to a server that only lists.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use session_core::Timestamp;
use session_core::store::{SessionStore as _, StoreKey};
use session_store_etcd::EtcdStore;

use crate::support::{decode, encode};

/// A server with the index of one user and nothing else. It keeps the queries of lists, and the keys that were asked for.
#[derive(Clone, Default)]
struct Lister {
    members: usize,
    /// The number of the query that is refused because the history was compacted.
    compacted: Option<usize>,
    lists: Arc<Mutex<Vec<Value>>>,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Lister {
    fn start(self) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let lister = self.clone();
                std::thread::spawn(move || lister.serve(stream.unwrap()));
            }
        });
        format!("etcd://{address}")
    }

    fn serve(&self, mut stream: TcpStream) {
        let mut lines = BufReader::new(stream.try_clone().unwrap());
        loop {
            let (mut length, mut line) = (0, String::new());
            while lines.read_line(&mut line).unwrap() > 2 {
                if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
                    length = value.trim().parse().unwrap();
                }
                line.clear();
            }
            if line.is_empty() {
                return;
            }
            let mut body = vec![0; length];
            lines.read_exact(&mut body).unwrap();
            let (status, answer) = self.answer(&serde_json::from_slice(&body).unwrap());
            let answer = answer.to_string();
            let head = format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\n\r\n", answer.len());
            stream.write_all((head + &answer).as_bytes()).unwrap();
        }
    }

    fn answer(&self, query: &Value) -> (&'static str, Value) {
        let first = String::from_utf8(decode(&query["key"])).unwrap();
        let Some(end) = query.get("range_end") else {
            self.asked.lock().unwrap().push(first);
            return ("200 OK", json!({"header": {"revision": "9"}}));
        };
        let end = String::from_utf8(decode(end)).unwrap();
        let mut lists = self.lists.lock().unwrap();
        lists.push(query.clone());
        if self.compacted == Some(lists.len()) {
            let message = "etcdserver: mvcc: required revision has been compacted";
            return ("400 Bad Request", json!({"code": 11, "message": message}));
        }
        let base = end.strip_suffix('0').unwrap();
        let keys = (0..self.members).map(|number| format!("{base}/{number:064x}"));
        let limit = query["limit"].as_u64().unwrap_or(u64::MAX) as usize;
        let page: Vec<_> = keys.filter(|key| *key >= first).take(limit).collect();
        let kvs: Vec<_> = page.iter().map(|key| json!({"key": encode(key)})).collect();
        ("200 OK", json!({"header": {"revision": format!("{}", 10 + lists.len())}, "kvs": kvs}))
    }
}

async fn end_all(lister: &Lister) {
    let store = EtcdStore::builder(lister.clone().start()).prefix("p/").open().unwrap();
    let now = Timestamp::now();
    assert_eq!(store.owners().unwrap().destroy_all("ada", None, now, now).await.unwrap(), 0);
    let asked: std::collections::BTreeSet<_> = lister.asked.lock().unwrap().drain(..).collect();
    for number in 0..lister.members {
        let key: StoreKey = format!("{number:064x}").parse().unwrap();
        assert!(asked.contains(&format!("p/{key}")), "session {number}");
    }
}

#[tokio::test]
async fn at_12_the_end_of_all_sessions_of_a_user_lists_them_in_pages_of_one_revision() {
    for members in [0, 1, 499, 500, 501, 2_345] {
        let lister = Lister { members, ..Lister::default() };
        end_all(&lister).await;
        let lists = lister.lists.lock().unwrap();
        assert_eq!(lists.len(), members / 500 + 1, "{members}");
        assert!(lists.iter().all(|query| query["limit"] == 500));
        assert!(lists[0].get("revision").is_none());
        assert!(lists[1..].iter().all(|query| query["revision"] == "11"), "that of the first page");
    }
}

#[tokio::test]
async fn at_12_a_list_is_begun_again_if_the_history_was_compacted() {
    let lister = Lister { members: 1_200, compacted: Some(2), ..Lister::default() };
    end_all(&lister).await;
    let lists = lister.lists.lock().unwrap();
    let revisions: Vec<_> = lists.iter().map(|query| query["revision"].as_str().unwrap_or("now")).collect();
    assert_eq!(revisions, ["now", "11", "now", "13", "13"]);
}
