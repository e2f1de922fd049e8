//! Prepares the browser files that `web::assets` embeds: installs the pinned npm packages when needed,
//! lets `web/build.mjs` join, name and compress them, and writes the table of `include_bytes!` entries.
//!
//! `KEHU_ASSETS=FOLDER` names a folder made earlier by `node web/build.mjs FOLDER`; then neither Node nor
//! the network is used.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

fn main() {
    if let Err(problem) = run() {
        // The last line cargo shows should be the sentence, not a backtrace.
        eprintln!("\n{problem}\n");
        std::process::exit(1);
    }
}

fn run() -> Result<(), String> {
    println!("cargo:rerun-if-env-changed=KEHU_ASSETS");
    let out = PathBuf::from(var("OUT_DIR")?);
    fs::write(out.join("policies_table.rs"), policies()?).map_err(|e| format!("policies_table.rs: {e}"))?;
    let folder = match env::var_os("KEHU_ASSETS").filter(|folder| !folder.is_empty()) {
        Some(folder) => {
            let folder = PathBuf::from(folder);
            println!("cargo:rerun-if-changed={}", folder.join("manifest.txt").display());
            fs::canonicalize(&folder)
                .map_err(|e| format!("KEHU_ASSETS: cannot open {}: {e}", folder.display()))?
        }
        None => make_assets(&out)?,
    };
    fs::write(out.join("assets_table.rs"), table(&folder)?).map_err(|e| format!("assets_table.rs: {e}"))
}

/// The regulations we ship: (policy, file, text) of every TOML file under `policies/`.
fn policies() -> Result<String, String> {
    let folder = Path::new(&var("CARGO_MANIFEST_DIR")?).join("../../policies");
    println!("cargo:rerun-if-changed={}", folder.display());
    let mut rows = String::from("[\n");
    for policy in sorted(&folder)?.iter().filter(|path| path.join("policy.toml").is_file()) {
        for file in sorted(policy)?.into_iter().chain(sorted(&policy.join("scenarios")).unwrap_or_default()) {
            if file.extension().is_none_or(|extension| extension != "toml") {
                continue;
            }
            println!("cargo:rerun-if-changed={}", file.display());
            let name = file.strip_prefix(policy).map_err(|e| e.to_string())?;
            let id = policy.file_name().unwrap_or_default().to_string_lossy();
            let path = fs::canonicalize(&file).map_err(|e| format!("{}: {e}", file.display()))?;
            let row = format!(
                "    ({id:?}, {:?}, include_str!({:?})),\n",
                name.to_string_lossy(),
                path.to_string_lossy()
            );
            rows.push_str(&row);
        }
    }
    rows.push_str("]\n");
    Ok(rows)
}

fn sorted(folder: &Path) -> Result<Vec<PathBuf>, String> {
    let entries = fs::read_dir(folder).map_err(|e| format!("{}: {e}", folder.display()))?;
    let mut all: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    all.sort();
    Ok(all)
}

fn make_assets(out: &Path) -> Result<PathBuf, String> {
    let web = Path::new(&var("CARGO_MANIFEST_DIR")?).join("../../web");
    for part in ["package-lock.json", "build.mjs", "used.mjs", "echarts.js", "css", "js", "icons"] {
        println!("cargo:rerun-if-changed={}", web.join(part).display());
    }
    // What these name decides which rules of Tabler are sent.
    for part in ["templates", "src", "examples"] {
        println!("cargo:rerun-if-changed={part}");
    }
    require_node()?;
    if packages_are_stale(&web) {
        command(
            Command::new("npm")
                .args(["ci", "--include=dev", "--ignore-scripts", "--no-audit", "--no-fund"])
                .current_dir(&web),
        )?;
    }
    let folder = out.join("assets");
    command(Command::new("node").arg("build.mjs").arg(&folder).current_dir(&web))?;
    Ok(folder)
}

/// npm writes `node_modules/.package-lock.json` last, so its age tells whether an install is complete and current.
fn packages_are_stale(web: &Path) -> bool {
    let changed = |path: &str| fs::metadata(web.join(path)).and_then(|data| data.modified()).ok();
    match (changed("node_modules/.package-lock.json"), changed("package-lock.json")) {
        (Some(installed), Some(locked)) => installed < locked,
        _ => true,
    }
}

fn require_node() -> Result<(), String> {
    let sentence = "kehu needs Node.js 20 or newer (with npm) to prepare its web pages: install it, or set \
                    KEHU_ASSETS to a folder made elsewhere by `node web/build.mjs FOLDER`.";
    let answer = Command::new("node").arg("--version").output().map_err(|_| sentence.to_owned())?;
    let version = String::from_utf8_lossy(&answer.stdout);
    let major: Option<u32> =
        version.trim().trim_start_matches('v').split('.').next().and_then(|n| n.parse().ok());
    if major.is_some_and(|major| major >= 20) { Ok(()) } else { Err(sentence.to_owned()) }
}

fn command(command: &mut Command) -> Result<(), String> {
    let line = format!("{command:?}");
    let answer = command.output().map_err(|e| format!("cannot run {line}: {e}"))?;
    if answer.status.success() {
        return Ok(());
    }
    let (stdout, stderr) = (String::from_utf8_lossy(&answer.stdout), String::from_utf8_lossy(&answer.stderr));
    Err(format!("{line} failed ({}):\n{stdout}{stderr}", answer.status))
}

fn table(folder: &Path) -> Result<String, String> {
    let manifest = folder.join("manifest.txt");
    let text =
        fs::read_to_string(&manifest).map_err(|e| format!("cannot read {}: {e}", manifest.display()))?;
    let mut table = String::from("[\n");
    for line in text.lines() {
        let parts: Vec<&str> = line.split('\t').collect();
        let [name, file, media_type, digest] = parts[..] else {
            return Err(format!("{}: expected name, file, type and digest in: {line}", manifest.display()));
        };
        let bytes = |ending: &str| format!("include_bytes!({:?})", folder.join(format!("{file}{ending}")));
        let _ = writeln!(
            table,
            "Asset {{ name: {name:?}, url: {:?}, media_type: {media_type:?}, etag: {:?}, plain: {}, br: {}, gzip: {} }},",
            format!("/assets/{file}"),
            format!("\"{digest}\""),
            bytes(""),
            bytes(".br"),
            bytes(".gz"),
        );
    }
    table.push_str("]\n");
    Ok(table)
}

fn var(name: &str) -> Result<String, String> {
    env::var(name).map_err(|e| format!("{name}: {e}"))
}
