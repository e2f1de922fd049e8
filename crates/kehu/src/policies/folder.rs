//! Reading a regulation from a folder, as the command line gets it.

use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use policy::{LARGEST_FILE, MOST_FILES, Problem, SourceFile};

/// How deep folders may lie in a policy's folder.
const DEEPEST: usize = 4;

/// The TOML files below a folder, by name, and what could not be read of them. Names beginning with a dot are left out.
/// A file is read only as far as the checker accepts it, so that a huge one costs nothing.
pub fn read_folder(folder: &Path) -> io::Result<(Vec<SourceFile>, Vec<Problem>)> {
    let mut paths = Vec::new();
    walk(folder, 0, &mut paths)?;
    paths.sort();
    let (mut files, mut problems) = (Vec::new(), Vec::new());
    for path in paths {
        let name = path.strip_prefix(folder).unwrap_or(&path).to_string_lossy().replace('\\', "/");
        let mut bytes = Vec::new();
        let most = LARGEST_FILE as u64 + 1;
        let read = fs::File::open(&path).and_then(|file| file.take(most).read_to_end(&mut bytes));
        match (read, String::from_utf8(bytes)) {
            (Err(error), _) => {
                problems
                    .push(Problem { file: name, line: 0, text: format!("读不了这个文件：{error}") })
            }
            (Ok(_), Ok(text)) => files.push(SourceFile { name, text }),
            (Ok(_), Err(error)) if error.as_bytes().len() > LARGEST_FILE => {
                let text = String::from_utf8_lossy(error.as_bytes()).into_owned();
                files.push(SourceFile { name, text });
            }
            (Ok(_), Err(error)) => {
                let before = &error.as_bytes()[..error.utf8_error().valid_up_to()];
                let line = before.iter().filter(|byte| **byte == b'\n').count() + 1;
                let text = "不是 UTF-8 编码的文本，请用 UTF-8 另存".to_owned();
                problems.push(Problem { file: name, line, text });
            }
        }
    }
    Ok((files, problems))
}

fn walk(folder: &Path, depth: usize, paths: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let is_hidden = path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'));
        if is_hidden || paths.len() > MOST_FILES {
            continue;
        }
        if path.is_dir() {
            if depth < DEEPEST {
                walk(&path, depth + 1, paths)?;
            }
        } else if path.extension().is_some_and(|ending| ending == "toml") {
            paths.push(path);
        }
    }
    Ok(())
}
