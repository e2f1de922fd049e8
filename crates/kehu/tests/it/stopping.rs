//! The end of the whole program, as an administrator or the machine brings it about.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use crate::app::PASSWORD;

const ROWS: usize = 3_000;
const EXPORTS: usize = 6;

fn kehu(data: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_kehu"));
    command.args(arguments).arg("--data").arg(data).env_remove("KEHU_DATA").env_remove("KEHU_DATABASE");
    command
}

/// Runs a command to its good end, with something to read from.
#[track_caller]
fn ok(mut command: Command, input: &str) {
    let mut child =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
}

/// A running server and its address.
fn serve(data: &Path) -> (Child, String) {
    let mut child = kehu(data, &["serve", "--listen", "127.0.0.1:0"])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut said = String::new();
    BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut said).unwrap();
    let address = said.split("http://").nth(1).and_then(|rest| rest.split('/').next()).expect(&said);
    (child, address.to_owned())
}

fn ask(address: &str, request: &str) -> TcpStream {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    stream
}

/// All that comes back; nothing when the connection was never served.
fn answer(mut stream: TcpStream) -> Vec<u8> {
    let mut all = Vec::new();
    // A connection that is reset has had no answer either.
    let _ = stream.read_to_end(&mut all);
    all
}

fn log_in(address: &str) -> String {
    let form = format!("username=admin&password={PASSWORD}");
    let came = answer(ask(
        address,
        &format!(
            "POST /login HTTP/1.1\r\nHost: {address}\r\nOrigin: http://{address}\r\nSec-Fetch-Site: same-origin\r\n\
             Connection: close\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n{form}",
            form.len()
        ),
    ));
    let came = String::from_utf8_lossy(&came).into_owned();
    let cookies: Vec<&str> = came
        .lines()
        .filter(|line| line.to_ascii_lowercase().starts_with("set-cookie: "))
        .map(|line| &line[12..])
        .filter_map(|cookie| cookie.split(';').next())
        .collect();
    assert!(!cookies.is_empty(), "{came}");
    cookies.join("; ")
}

#[test]
fn an_order_to_stop_in_the_middle_of_exports_tears_none_of_them() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let setup = kehu(&data, &["setup", "--company", "天江集团", "--admin", "admin", "--password-stdin"]);
    ok(setup, &format!("{PASSWORD}\n"));
    let file = folder.path().join("客户.csv");
    let lines: String = (0..ROWS).map(|n| format!("天江{n}公司,139{n:08}\n")).collect();
    std::fs::write(&file, format!("客户名称,手机\n{lines}")).unwrap();
    ok(kehu(&data, &["import", "customers", file.to_str().unwrap()]), "");

    let (mut server, address) = serve(&data);
    let cookie = log_in(&address);
    let asked: Vec<TcpStream> = (0..EXPORTS)
        .map(|_| {
            ask(
                &address,
                &format!(
                    "GET /customers/export?format=csv HTTP/1.1\r\nHost: {address}\r\nCookie: {cookie}\r\n\
                     Sec-Fetch-Site: same-origin\r\nConnection: close\r\n\r\n"
                ),
            )
        })
        .collect();
    // The first one is under way for certain; the order comes while the others are.
    let mut asked = asked.into_iter();
    let mut first = asked.next().unwrap();
    let mut begun = [0];
    first.read_exact(&mut begun).unwrap();
    assert!(Command::new("kill").arg("-TERM").arg(server.id().to_string()).status().unwrap().success());
    let rest: Vec<_> = asked.map(|stream| std::thread::spawn(move || answer(stream))).collect();
    let mut answers = vec![[begun.to_vec(), answer(first)].concat()];
    answers.extend(rest.into_iter().map(|thread| thread.join().unwrap()));

    let mut whole = 0;
    for came in &answers {
        let Some(end) = came.windows(4).position(|w| w == b"\r\n\r\n") else {
            assert!(came.is_empty(), "half a head: {}", String::from_utf8_lossy(came));
            continue;
        };
        let (head, body) = (String::from_utf8_lossy(&came[..end]).to_ascii_lowercase(), &came[end + 4..]);
        if head.starts_with("http/1.1 200") {
            let told = head.lines().find_map(|line| line.strip_prefix("content-length: ")).expect(&head);
            assert_eq!(body.len().to_string(), told, "torn");
            assert_eq!(String::from_utf8_lossy(body).trim_end().lines().count(), ROWS + 1);
            whole += 1;
        } else {
            assert!(head.starts_with("http/1.1 503"), "{head}");
        }
    }
    assert!(whole > 0);
    assert!(server.wait().unwrap().success());
    ok(kehu(&data, &["db", "check"]), "");
}
