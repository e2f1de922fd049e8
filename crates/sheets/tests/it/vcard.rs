use encoding_rs::GBK;
use sheets::Format;

use crate::support::{Read, read_bytes, shared};

const NAME: usize = 0;
const ORGANISATION: usize = 1;
const DEPARTMENT: usize = 2;
const TITLE: usize = 3;
const MOBILE: usize = 4;
const PHONE: usize = 5;
const FAX: usize = 6;
const EMAIL: usize = 7;
const ADDRESS: usize = 8;
const URL: usize = 9;
const BIRTHDAY: usize = 10;
const NOTE: usize = 11;

fn sample(name: &str) -> Option<Read> {
    let folder = shared("vcard")?;
    Some(read_bytes(&std::fs::read(folder.join(name)).unwrap()).unwrap())
}

// covers: CI-02
#[test]
fn every_sample_gives_its_cards() {
    let Some(folder) = shared("vcard") else { return };
    let mut files = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "vcf") {
            continue;
        }
        files += 1;
        let bytes = std::fs::read(&path).unwrap();
        let ends = String::from_utf8_lossy(&bytes)
            .lines()
            .filter(|line| line.trim().eq_ignore_ascii_case("END:VCARD"))
            .count();
        let read = read_bytes(&bytes).unwrap();
        assert_eq!(read.header.format, Format::Vcard);
        assert_eq!(read.rows.len(), ends, "{}", path.display());
        for row in &read.rows {
            assert!(row.cells.iter().any(|cell| !cell.is_empty()), "{}", path.display());
            // One sample was shortened by hand in the middle of a letter.
            let is_cut = path.ends_with("John_Doe_ANDROID.vcf") && row.number == 71;
            assert_eq!(row.problems.is_empty(), !is_cut, "{}: {:?}", path.display(), row.problems);
        }
    }
    assert_eq!(files, 18);
}

// covers: CI-02
#[test]
fn fields_of_the_samples() {
    let Some(read) = sample("John_Doe_EVOLUTION.vcf") else { return };
    assert_eq!(read.columns()[..4], ["姓名", "单位", "部门", "职务"]);
    assert_eq!(read.header.keys[..2], ["name", "organisation"]);
    let cells = read.cells(0);
    assert_eq!(cells[NAME], "Mr. John Richter, James Doe Sr.");
    assert_eq!((cells[ORGANISATION], cells[DEPARTMENT]), ("IBM", "Accounting/Dungeon"));
    assert_eq!(cells[BIRTHDAY], "1980-03-22");

    let read = sample("John_Doe_MS_OUTLOOK.vcf").unwrap();
    let cells = read.cells(0);
    assert_eq!((cells[TITLE], cells[BIRTHDAY]), ("Money Counter", "1980-03-22"));
    assert_eq!(cells[PHONE], "(905) 555-1234; (905) 666-1234");
    assert_eq!(cells[EMAIL], "john.doe@ibm.cm");
    assert!(cells[ADDRESS].starts_with("Cresent moon drive, Albaney"));

    let read = sample("John_Doe_IPHONE.vcf").unwrap();
    let cells = read.cells(0);
    assert_eq!(cells[MOBILE], "905-555-1234");
    assert_eq!(cells[FAX], "905-888-1234; 905-999-1234");
    assert_eq!(cells[URL], "http://www.ibm.com");

    let read = sample("John_Doe_ANDROID.vcf").unwrap();
    assert_eq!(read.cells(0)[EMAIL], "john.doe@company.com");
    assert_eq!(read.cells(2)[NAME], "Ñ Ñ Ñ Ñ Ñ");
    let read = sample("fullcontact.vcf").unwrap();
    assert_eq!(read.cells(0)[NOTE], "Notes line 1\nNotes line 2");
    assert_eq!(read.cells(0)[ORGANISATION], "Organization1; Organization2");
}

#[test]
fn chinese_cards_in_gbk_and_quoted_printable() {
    let name: String = GBK.encode("张;三;;;").0.iter().map(|byte| format!("={byte:02X}")).collect();
    let card = format!(
        "BEGIN:VCARD\r\nVERSION:2.1\r\nN;CHARSET=GBK;ENCODING=QUOTED-PRINTABLE:{name}\r\nTEL;CELL:13812345678\r\n\
         ORG;CHARSET=UTF-8;ENCODING=QUOTED-PRINTABLE:=E5=B9=BF=E5=B7=9E=\r\n=E5=A4=A9=E6=B1=9F;=E9=94=80=E5=94=AE\r\n\
         ADR;CHARSET=UTF-8;WORK:;;天河路1号;广州市;广东省;510000;中国\r\nPHOTO;ENCODING=BASE64;JPEG:AAAA\r\n BBBB\r\n\r\n\
         END:VCARD\r\n"
    );
    let read = read_bytes(card.as_bytes()).unwrap();
    let cells = read.cells(0);
    assert_eq!((cells[NAME], cells[MOBILE]), ("张三", "13812345678"));
    assert_eq!((cells[ORGANISATION], cells[DEPARTMENT]), ("广州天江", "销售"));
    assert_eq!(cells[ADDRESS], "中国广东省广州市天河路1号 510000");

    let raw = "BEGIN:VCARD\nVERSION:2.1\nFN;CHARSET=GBK:李四\nTEL:+86 139-1234-5678\nEND:VCARD\n";
    for bytes in [GBK.encode(raw).0.into_owned(), raw.as_bytes().to_vec()] {
        let read = read_bytes(&bytes).unwrap();
        assert_eq!((read.cells(0)[NAME], read.cells(0)[MOBILE]), ("李四", "+86 139-1234-5678"));
    }
    let utf16: Vec<u8> = format!("\u{feff}{raw}").encode_utf16().flat_map(u16::to_le_bytes).collect();
    assert_eq!(read_bytes(&utf16).unwrap().cells(0)[NAME], "李四");
}

#[test]
fn an_unfinished_card_is_given_with_a_warning() {
    let read = read_bytes(b"BEGIN:VCARD\nFN:A\nEND:VCARD\nBEGIN:VCARD\nFN:B\nTEL:1").unwrap();
    assert_eq!((read.cells(0)[NAME], read.cells(1)[NAME]), ("A", "B"));
    assert_eq!(read.codes(1), ["vcard.not_ended"]);
    assert_eq!((read.rows[0].number, read.rows[1].number), (1, 4));
}
