//! Backups at the command line, as the administrator of a machine makes and restores them: on a server that runs, onto
//! an empty place, and what is said when something is wrong.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use crate::app::{PASSWORD, PostgresDatabase};
use crate::cli::{company, fails, ok};

/// A server of its own; ended with the test.
struct Server {
    child: Child,
    address: String,
    _stdout: BufReader<std::process::ChildStdout>,
}

impl Server {
    fn start(data: &str, database: Option<&str>) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_kehu"));
        command
            .args(["serve", "--data", data, "--listen", "127.0.0.1:0"])
            .stdout(Stdio::piped())
            .stderr(Stdio::null());
        for name in ["KEHU_DATA", "KEHU_DATABASE", "KEHU_BACKUPS"] {
            command.env_remove(name);
        }
        if let Some(url) = database {
            command.args(["--database", url]);
        }
        let mut child = command.spawn().unwrap();
        let mut line = String::new();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        stdout.read_line(&mut line).unwrap();
        let address =
            line.split("http://").nth(1).and_then(|rest| rest.split('/').next()).unwrap().to_owned();
        Self { child, address, _stdout: stdout }
    }

    /// Sends a request and answers all of what comes back.
    fn send(&self, request: &str, headers: &str, body: &str) -> String {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        let address = &self.address;
        write!(
            stream,
            "{request} HTTP/1.1\r\nHost: {address}\r\nOrigin: http://{address}\r\nConnection: close\r\n\
             Content-Length: {}\r\n{headers}\r\n{body}",
            body.len()
        )
        .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }

    fn call(&self, token: &str, request: &str, body: &str) -> String {
        let headers = format!("Authorization: Bearer {token}\r\nContent-Type: application/json\r\n");
        self.send(request, &headers, body)
    }

    /// Signs in with a password; answers the cookie.
    fn sign_in(&self, username: &str) -> String {
        let form = form_urlencoded::Serializer::new(String::new())
            .extend_pairs([("username", username), ("password", PASSWORD)])
            .finish();
        let answer = self.send("POST /login", "Content-Type: application/x-www-form-urlencoded\r\n", &form);
        assert!(answer.starts_with("HTTP/1.1 303"), "{answer}");
        let cookie =
            answer.lines().find_map(|l| l.strip_prefix("set-cookie: ").filter(|c| c.contains("__Host-kehu")));
        cookie.unwrap_or_else(|| panic!("{answer}")).split(';').next().unwrap().to_owned()
    }

    fn page(&self, cookie: &str, path: &str) -> String {
        self.send(&format!("GET {path}"), &format!("Cookie: {cookie}\r\n"), "")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The arguments that name a place.
fn at<'a>(data: &'a str, database: Option<&'a str>) -> Vec<&'a str> {
    let mut arguments = vec!["--data", data];
    arguments.extend(database.iter().flat_map(|url| ["--database", *url]));
    arguments
}

fn run(command: &[&str], place: &[&str]) -> String {
    ok(&[command, place].concat(), "")
}

// covers: EX-11
#[test]
fn a_backup_of_a_running_server_is_restored_into_an_empty_place_and_people_work_there() {
    for on_postgres in [false, true] {
        let from = on_postgres.then(PostgresDatabase::create).flatten();
        if on_postgres && from.is_none() {
            println!("skipped on PostgreSQL: KEHU_TEST_POSTGRES names no server");
            continue;
        }
        let from = from.as_ref().map(|d| d.url.as_str());
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("data");
        let data = data.to_str().unwrap();
        let place = at(data, from);
        let password = format!("{PASSWORD}\n");
        ok(
            &[&["setup", "--company", "天江集团", "--admin", "admin", "--password-stdin"][..], &place[..]]
                .concat(),
            &password,
        );
        let printed = run(&["token", "new", "--user", "admin", "--name", "对接"], &place);
        let token = printed.lines().last().unwrap().to_owned();
        let server = Server::start(data, from);
        for n in 0..20 {
            let made = server.call(
                &token,
                "POST /api/v1/customers",
                &format!(r#"{{"kind":"person","name":"客户{n:02}"}}"#),
            );
            assert!(made.starts_with("HTTP/1.1 201"), "{made}");
        }
        let session = server.sign_in("admin");
        assert!(server.page(&session, "/customers").contains("客户07"));

        let created = run(&["backup", "create"], &place);
        let file = created.lines().last().unwrap().to_owned();
        assert!(created.contains("20 位客户") && Path::new(&file).is_file(), "{created}");
        assert!(run(&["backup", "list"], &place).contains("天江集团  20 位客户"));
        // What comes after it is not in it; the list of the running server knows of it.
        let late = server.call(&token, "POST /api/v1/customers", r#"{"kind":"person","name":"后来的客户"}"#);
        assert!(late.starts_with("HTTP/1.1 201"), "{late}");
        assert!(server.page(&session, "/admin/backups").contains("命令行"));
        assert!(run(&["backup", "verify", &file], &place).contains("备份完好"));

        // The machine is lost; only the file is left. On either database.
        let carried = folder.path().join("carried.kehu-backup");
        std::fs::copy(&file, &carried).unwrap();
        drop(server);
        let targets = [None, PostgresDatabase::create()];
        for target in targets.iter().enumerate().filter(|(n, t)| *n == 0 || t.is_some()).map(|(_, t)| t) {
            let target = target.as_ref().map(|d| d.url.as_str());
            let fresh = tempfile::tempdir().unwrap();
            let fresh = fresh.path().join("new");
            let fresh = fresh.to_str().unwrap();
            let place = at(fresh, target);
            let said = run(&["backup", "restore", carried.to_str().unwrap()], &place);
            assert!(said.contains("20 位客户") && said.contains("1 个登录已结束"), "{said}");
            run(&["db", "check"], &place);
            run(&["audit", "verify"], &place);
            let server = Server::start(fresh, target);
            assert!(!server.page(&session, "/customers").contains("客户07"), "the old session has ended");
            let own = server.sign_in("admin");
            let page = server.page(&own, "/customers");
            assert!(page.contains("客户07") && !page.contains("后来的客户"), "{page}");
            let found = server.call(&token, "GET /api/v1/customers?q=%E5%AE%A2%E6%88%B719", "");
            assert!(found.contains("客户19"), "{found}");
            // The new system makes backups of its own.
            drop(server);
            run(&["backup", "create"], &place);
            // Nothing is restored over it.
            let arguments = [&["backup", "restore", carried.to_str().unwrap()][..], &place[..]].concat();
            assert!(fails(2, &arguments, "").contains("没有改动任何数据"));
        }
    }
}

#[test]
fn what_is_wrong_is_said_and_has_its_exit_code() {
    let folder = tempfile::tempdir().unwrap();
    let data = company(folder.path());
    let backups = folder.path().join("elsewhere");
    let elsewhere = backups.to_str().unwrap();
    assert!(ok(&["backup", "list", "--data", data], "").contains("没有备份"));
    fails(2, &["backup", "create", "--data", "/nonexistent/kehu"], "");
    fails(2, &["backup", "verify", "none.kehu-backup", "--data", data], "");
    let created = ok(&["backup", "create", "--data", data, "--backups", elsewhere], "");
    let file = created.lines().last().unwrap();
    assert_eq!(Path::new(file).parent().unwrap(), backups);
    let name = Path::new(file).file_name().unwrap().to_str().unwrap();
    ok(&["backup", "verify", name, "--data", data, "--backups", elsewhere], "");
    ok(&["backup", "verify", file, "--data", data], "");
    // Damaged, or made by a newer program.
    let mut bytes = std::fs::read(file).unwrap();
    bytes[9_000] ^= 1;
    let broken = backups.join("broken.kehu-backup");
    std::fs::write(&broken, &bytes).unwrap();
    let broken = broken.to_str().unwrap();
    assert!(fails(1, &["backup", "verify", broken, "--data", data], "").contains("备份已损坏"));
    let fresh = folder.path().join("fresh");
    let fresh = fresh.to_str().unwrap();
    assert!(fails(1, &["backup", "restore", broken, "--data", fresh], "").contains("备份已损坏"));
    std::fs::write(backups.join("text.kehu-backup"), "text").unwrap();
    assert!(ok(&["backup", "list", "--data", data, "--backups", elsewhere], "").contains("不能使用"));
    // A half restored place is not served.
    std::fs::create_dir_all(fresh).unwrap();
    std::fs::write(Path::new(fresh).join("restore.unfinished"), "").unwrap();
    assert!(fails(2, &["serve", "--data", fresh, "--listen", "127.0.0.1:0"], "").contains("没有完成的恢复"));
    assert!(
        fails(2, &["setup", "--data", fresh, "--company", "甲", "--admin", "a", "--password-stdin"], "x\n")
            .contains("恢复")
    );
    ok(&["backup", "restore", file, "--data", fresh], "");
    ok(&["db", "check", "--data", fresh], "");
}

#[test]
fn a_backup_that_is_killed_or_finds_no_room_never_looks_like_one() {
    let folder = tempfile::tempdir().unwrap();
    let data = company(folder.path());
    let backups = folder.path().join("backups");
    let good = || {
        let entries = std::fs::read_dir(&backups).into_iter().flatten().flatten();
        entries.filter(|e| e.file_name().to_string_lossy().ends_with(".kehu-backup")).count()
    };
    // No file may grow beyond a limit, whether the signal that tells of it is ignored or not. First the company's own
    // database cannot be written: what set-up wrote lies in the write-ahead log still, larger than the limit.
    let database = folder.path().join("kehu.sqlite");
    let limited = |limit: u64, code: i32, words: &str| {
        for trap in ["", "trap '' XFSZ;"] {
            let script = format!("{trap} ulimit -f {limit}; exec \"$0\" backup create --data \"$1\"");
            let output = Command::new("bash")
                .args(["-c", &script, env!("CARGO_BIN_EXE_kehu"), data])
                .env_remove("KEHU_DATABASE")
                .output()
                .unwrap();
            let said = String::from_utf8_lossy(&output.stderr);
            assert_eq!(output.status.code(), Some(code), "{script}: {said}");
            assert!(said.contains(words) && said.contains("后重试"), "{script}: {said}");
            assert_eq!(good(), 0);
            ok(&["db", "check", "--data", data], "");
        }
    };
    limited(300, 5, "写数据库失败，没有保存：磁盘已满、达到文件大小上限");
    // Then all of it lies in the database, of which there is known to be more than may be written.
    let settle = || {
        let company = rusqlite::Connection::open(&database).unwrap();
        company.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).unwrap();
        std::fs::metadata(&database).unwrap().len() / 1024
    };
    settle();
    limited(300, 1, "超过文件大小上限：这个程序只能写 300 KB 以内的文件");
    // At last only what stands beside the database in the archive is too much.
    limited(settle() + 32, 1, "备份目录所在的磁盘已满或达到文件大小上限，没有留下半个备份");
    // Killed at one place after the other.
    let mut killed = 0;
    for wait in [0, 5, 10, 20, 30, 45, 60, 90] {
        let mut child = Command::new(env!("CARGO_BIN_EXE_kehu"))
            .args(["backup", "create", "--data", data])
            .env_remove("KEHU_DATABASE")
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let began = std::time::Instant::now();
        // From the moment its workroom is there.
        while began.elapsed().as_secs() < 20 && child.try_wait().unwrap().is_none() {
            let entries = std::fs::read_dir(&backups).into_iter().flatten().flatten();
            if entries.into_iter().any(|e| e.file_name().to_string_lossy().starts_with(".work-")) {
                break;
            }
        }
        std::thread::sleep(std::time::Duration::from_millis(wait));
        let _ = child.kill();
        killed += usize::from(!child.wait().unwrap().success());
        for entry in std::fs::read_dir(&backups).unwrap().flatten() {
            if entry.file_name().to_string_lossy().ends_with(".kehu-backup") {
                ok(&["backup", "verify", entry.path().to_str().unwrap(), "--data", data], "");
            }
        }
    }
    assert!(killed > 0, "none was killed in time");
    let before = good();
    ok(&["backup", "create", "--data", data], "");
    assert_eq!(good(), before + 1);
    let left: Vec<_> = std::fs::read_dir(&backups).unwrap().flatten().map(|e| e.file_name()).collect();
    assert!(left.iter().all(|n| n == ".lock" || n.to_string_lossy().ends_with(".kehu-backup")), "{left:?}");
    ok(&["db", "check", "--data", data], "");
}
