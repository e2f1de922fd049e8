//! What a browser loads: the first pages with everything they name, compressed.

use std::collections::BTreeSet;

use crate::client::Client;
use crate::company::PASSWORD;
use crate::process::Server;

const BROWSER: &str = "Accept: text/html\r\nAccept-Encoding: br, gzip\r\n";

/// A signed-in session's headers.
pub fn sign_in(server: &Server, user: &str) -> String {
    let mut client = Client::new(server.address, "Accept: text/html\r\n").unwrap();
    let headers = format!(
        "Origin: http://{}\r\nSec-Fetch-Site: same-origin\r\nContent-Type: application/x-www-form-urlencoded\r\n",
        server.address
    );
    let answer =
        client.send("POST", "/login", &headers, &format!("username={user}&password={PASSWORD}")).unwrap();
    assert_eq!(answer.status, 303, "{}", String::from_utf8_lossy(&answer.body));
    let cookies: Vec<&str> = answer
        .headers
        .iter()
        .filter(|(name, _)| name == "set-cookie")
        .filter_map(|(_, value)| value.split(';').next())
        .collect();
    assert!(!cookies.is_empty(), "no cookie after the log-in");
    format!("Cookie: {}\r\nAccept: text/html\r\n", cookies.join("; "))
}

/// Compressed bytes of a page, of the files it asks for at once, and of those a part of it may ask for later: scripts
/// named in a data attribute.
pub fn weight(server: &Server, session: &str, path: &str) -> [usize; 3] {
    let mut client = Client::new(server.address, &format!("{session}{BROWSER}")).unwrap();
    let page = client.get(path).ok().body.len();
    let mut plain = Client::new(server.address, session).unwrap();
    let html = String::from_utf8(plain.get(path).ok().body).unwrap();
    let at_once: BTreeSet<&str> = [" src=\"", " href=\""]
        .iter()
        .flat_map(|attribute| html.split(attribute).skip(1))
        .filter_map(|rest| rest.split(['"', '#']).next())
        .filter(|address| address.starts_with("/assets/"))
        .collect();
    let later: BTreeSet<&str> = html
        .split(['"', '\''])
        .filter(|part| part.starts_with("/assets/") && !part.contains('#') && !at_once.contains(part))
        .collect();
    let mut sum =
        |files: BTreeSet<&str>| files.into_iter().map(|file| client.get(file).ok().body.len()).sum();
    [page, sum(at_once), sum(later)]
}
