//! `cargo run -p policy --example diagram -- policies/NAME FORM [CURRENT [BEEN …]]`: prints a process as SVG.

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [folder, form, rest @ ..] = arguments.as_slice() else {
        panic!("policies/NAME FORM [CURRENT [BEEN …]]")
    };
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).expect("a folder").flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        if name.ends_with(".toml") {
            let text = std::fs::read_to_string(entry.path()).expect("readable");
            files.push(policy::SourceFile { name, text });
        }
    }
    let checked = policy::check(&files, &Default::default(), &vocabulary::vocabulary());
    let policy = checked.unwrap_or_else(|problems| panic!("{problems:#?}"));
    let form = policy.form(form).expect("a form");
    let been: Vec<&str> = rest.iter().skip(1).map(String::as_str).collect();
    println!("{}", policy::diagram::diagram(form, rest.first().map(String::as_str), &been));
}

#[path = "support/vocabulary.rs"]
mod vocabulary;
