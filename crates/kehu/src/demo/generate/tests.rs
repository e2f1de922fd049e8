use std::collections::HashMap;

use jiff::civil::date;

use super::*;

const TODAY: Date = date(2026, 9, 28);

fn demo() -> DemoCompany {
    company(1, 2_000, TODAY)
}

/// FNV-1a of the JSON.
fn digest(company: &DemoCompany) -> u64 {
    let json = serde_json::to_vec(company).expect("plain data");
    json.iter().fold(0xcbf2_9ce4_8422_2325, |hash, &b| (hash ^ u64::from(b)).wrapping_mul(0x0100_0000_01b3))
}

#[test]
fn same_seed_same_company() {
    assert_eq!(digest(&demo()), digest(&demo()));
    assert_ne!(digest(&company(2, 100, TODAY)), digest(&company(1, 100, TODAY)));
    // A longer list begins like a shorter one.
    assert_eq!(company(1, 300, TODAY).customers[..100], company(1, 100, TODAY).customers[..]);
}

#[test]
fn sizes_are_kept() {
    assert!(company(1, 0, TODAY).customers.is_empty());
    assert_eq!(company(1, 1, TODAY).customers.len(), 1);
    assert_eq!(demo().customers.len(), 2_000);
    assert_eq!(demo().people.len(), 60);
    assert_eq!(company(1, 50, date(1, 1, 1)).customers.len(), 50);
}

#[test]
fn numbers_pass_their_checks() {
    for customer in demo().customers {
        if let Some(id) = &customer.id_number {
            assert_eq!(id.len(), 18);
            assert_eq!(id.chars().last(), Some(identifiers::id_check(&id[..17])), "{id}");
            let region = regions::by_code(&id[..6]).expect(id);
            assert_eq!(
                region.rank,
                if region.name.ends_with("东莞市") || region.name.ends_with("中山市") {
                    regions::Rank::Prefecture
                } else {
                    regions::Rank::County
                }
            );
            let male = (id.as_bytes()[16] - b'0') % 2 == 1;
            assert_eq!(customer.gender, Some(if male { "male" } else { "female" }));
            if let Some(birthday) = customer.birthday {
                assert_eq!(&id[6..14], birthday.strftime("%Y%m%d").to_string());
            }
        }
        if let Some(code) = &customer.credit_code {
            assert_eq!(code.len(), 18);
            assert!(
                code.bytes().all(|b| b.is_ascii_digit() || b.is_ascii_uppercase() && !b"IOSVZ".contains(&b))
            );
            assert_eq!(code.chars().last(), Some(identifiers::credit_check(&code[..17])), "{code}");
            assert_eq!(code.chars().nth(16), Some(identifiers::organisation_check(&code[8..16])), "{code}");
        }
        for phone in customer.phone.iter().chain(&customer.landline).chain(&customer.fax) {
            assert!(is_phone(phone), "{phone}");
        }
        if let (Some(phone), Some(region)) = (&customer.landline, &customer.region) {
            let city = CITIES.iter().find(|city| region.starts_with(city.path)).expect("one of ours");
            assert!(phone.starts_with(city.area_code), "{phone} {region}");
        }
        for contact in &customer.contacts {
            assert!(contact.phone.len() == 11 && is_phone(&contact.phone));
        }
        for asset in &customer.assets {
            if let DemoAsset::Vehicle { plate, vin, bought_on, .. } = asset {
                assert_eq!(vin.len(), 17);
                assert!(!vin.contains(['I', 'O', 'Q']));
                assert_eq!(vin.chars().nth(8), Some(identifiers::vin_check(vin)), "{vin}");
                assert!([7, 8].contains(&plate.chars().count()), "{plate}");
                assert!(*bought_on < TODAY);
            }
        }
    }
}

fn is_phone(text: &str) -> bool {
    let digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
    match text.split_once('-') {
        Some((area, local)) => {
            digits(area) && digits(local) && area.starts_with('0') && [7, 8].contains(&local.len())
        }
        None => text.len() == 11 && digits(text) && text.starts_with('1'),
    }
}

#[test]
fn what_must_differ_differs() {
    let company = demo();
    let originals = || company.customers.iter().filter(|customer| customer.near_duplicate_of.is_none());
    let unique = |what: &str, values: Vec<&str>| {
        let distinct: HashSet<&str> = values.iter().copied().collect();
        assert_eq!(distinct.len(), values.len(), "{what}");
    };
    unique("names", originals().filter(|c| c.kind == "organisation").map(|c| c.name.as_str()).collect());
    unique("codes", originals().filter_map(|c| c.credit_code.as_deref()).collect());
    unique("ids", originals().filter_map(|c| c.id_number.as_deref()).collect());
    unique("phones", originals().filter_map(|c| c.phone.as_deref()).collect());
    let assets = || originals().flat_map(|customer| &customer.assets);
    unique(
        "vehicles",
        assets()
            .filter_map(|asset| match asset {
                DemoAsset::Vehicle { vin, .. } => Some(vin.as_str()),
                _ => None,
            })
            .collect(),
    );
    unique("usernames", company.people.iter().map(|person| person.username).collect());
}

#[test]
fn records_hang_together() {
    let company = demo();
    for (index, customer) in company.customers.iter().enumerate() {
        if let Some(region) = &customer.region {
            assert_eq!(regions::resolve(region).map(|found| found.path), Ok(region.as_str()));
        }
        assert!(customer.owner.is_none_or(|owner| owner < company.people.len()));
        assert!(customer.near_duplicate_of.is_none_or(|original| original < index));
        assert!(customer.first_contact_on < TODAY);
        let organisation = customer.kind == "organisation";
        assert!(!organisation || (1..=4).contains(&customer.contacts.len()));
        assert_eq!(
            customer.contacts.iter().filter(|contact| contact.is_primary).count(),
            customer.contacts.len().min(1)
        );
        assert!(customer.activities.is_sorted_by_key(|activity| activity.happened_at));
        for activity in &customer.activities {
            let day = activity.happened_at.date();
            assert!(
                day < TODAY && day >= date(2024, 9, 28) && day >= customer.first_contact_on,
                "{activity:?}"
            );
            assert!((8..18).contains(&activity.happened_at.hour()));
            assert!(activity.contact.is_none_or(|contact| contact < customer.contacts.len()));
            assert!(activity.by < company.people.len());
        }
    }
}

#[test]
fn customers_are_spread_as_in_life() {
    let company = demo();
    let mut counts: Vec<usize> = company.customers.iter().map(|customer| customer.activities.len()).collect();
    counts.sort_unstable_by(|a, b| b.cmp(a));
    let (top, all) = (counts[..400].iter().sum::<usize>(), counts.iter().sum::<usize>());
    let share = top * 100 / all;
    assert!((72..=88).contains(&share), "a fifth of the customers has {share} % of {all} activities");
    let mut lines: HashMap<BusinessLine, usize> = HashMap::new();
    for customer in &company.customers {
        *lines.entry(customer.line).or_default() += 1;
    }
    assert!(lines.len() == 5 && lines.values().all(|&count| count > 150), "{lines:?}");
    let share_of = |test: fn(&DemoCustomer) -> bool| company.customers.iter().filter(|c| test(c)).count();
    assert!((700..1_300).contains(&share_of(|c| c.kind == "person")));
    assert!((80..320).contains(&share_of(|c| c.owner.is_none())));
    assert!((20..100).contains(&share_of(|c| c.phone.is_none())));
    assert_eq!(share_of(|c| c.near_duplicate_of.is_some()), 50);
}

#[test]
fn codes_are_in_the_dictionaries() {
    let data: toml::Table = include_str!("../../../data/dictionaries.toml").parse().expect("valid TOML");
    let mut known: HashMap<String, HashSet<String>> = HashMap::new();
    for dictionary in data["dictionary"].as_array().expect("a list") {
        let values = dictionary["values"].as_array().expect("a list");
        let code = |value: &toml::Value| value["code"].as_str().expect("a code").to_owned();
        assert!(values.iter().all(|value| value["zh"].is_str() && value["en"].is_str()));
        known.insert(code(dictionary), values.iter().map(code).collect());
    }
    let has = |dictionary: &str, code: &str| assert!(known[dictionary].contains(code), "{dictionary} {code}");
    for customer in demo().customers {
        customer.class.iter().for_each(|code| has("customer_class", code));
        customer.level.iter().for_each(|code| has("customer_level", code));
        customer.nature.iter().for_each(|code| has("enterprise_nature", code));
        customer.industry.iter().for_each(|code| has("industry", code));
        customer.source.iter().for_each(|code| has("source", code));
        customer.contacts.iter().for_each(|contact| has("contact_role", contact.role));
        customer.activities.iter().filter_map(|a| a.result).for_each(|code| has("activity_result", code));
    }
}

#[test]
fn schemes_are_well_formed() {
    let data: toml::Table = include_str!("../../../data/schemes.toml").parse().expect("valid TOML");
    let mut ids = HashSet::new();
    for scheme in data["scheme"].as_array().expect("a list") {
        assert!(ids.insert(scheme["id"].as_str().expect("an id")));
        assert!(["single", "multiple"].contains(&scheme["choice"].as_str().expect("a choice")));
        assert!(["zh", "en", "system"].iter().all(|key| scheme[*key].is_str()));
        let mut codes = HashSet::new();
        for value in scheme["values"].as_array().expect("a list") {
            assert!(codes.insert(value["code"].as_str().expect("a code")));
            assert!(["zh", "en", "definition"].iter().all(|key| value[*key].is_str()));
        }
    }
    assert!(ids.len() >= 40);
}
