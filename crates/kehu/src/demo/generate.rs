//! Makes up a demonstration group and its customers: pure, the same for the same arguments on every machine. Writing
//! it into a database is left to others.
//!
//! Everyone and everything is invented. Numbers pass the checks of their standards, so by chance one may be somebody's:
//! nothing here may ever be dialled or sent to. Mail addresses are all under `example.cn`.

pub(crate) mod assignments;
mod identifiers;
mod model;
mod notes;
pub(crate) mod organisation;
mod people;
mod places;
mod profiles;
mod random;
mod strategies;
mod words;

use std::collections::HashSet;

use jiff::ToSpan;
use jiff::civil::{Date, DateTime, Weekday, time};

pub use self::model::{
    BusinessLine, DemoActivity, DemoAsset, DemoCompany, DemoContact, DemoCustomer, DemoPerson,
};
use self::notes::Note;
pub(crate) use self::people::PEOPLE;
use self::places::{CITIES, COMMUNITIES, City, HOME_PROVINCES, ROADS};
use self::profiles::{
    CARS, CREDIT_STATUS, PERSONAL_REMARKS, PRODUCTS, Post, Profile, REMARKS, SHOP_PRODUCTS, profile,
};
use self::random::Random;
pub(crate) use self::strategies::STRATEGIES;
use self::words::{FORMS, Trade};
use crate::regions;

/// More customers than this are not made; names and rooms would run short.
pub const MOST_CUSTOMERS: usize = 100_000;
/// Every fortieth customer is an earlier one entered a second time by somebody careless.
const DUPLICATE_EVERY: usize = 40;

/// Index of the manager who looks after some of the key customers of every line.
const MANAGER: usize = 1;

const LINES: [BusinessLine; 5] = [
    BusinessLine::Property,
    BusinessLine::Vehicles,
    BusinessLine::Power,
    BusinessLine::Retail,
    BusinessLine::Manufacturing,
];

const SOURCES: &[(&str, usize)] = &[
    ("walk_in", 20),
    ("referral", 18),
    ("incoming_call", 14),
    ("customer_visit", 12),
    ("market_research", 8),
    ("sales_statistics", 7),
    ("website", 7),
    ("exhibition", 5),
    ("internal_database", 4),
    ("agency", 3),
    ("external_report", 1),
    ("tender", 1),
];

/// The group with `customers` customers (at most [`MOST_CUSTOMERS`]) as it stands on the evening before `today`.
pub fn company(seed: u64, customers: usize, today: Date) -> DemoCompany {
    let mut maker = Maker::new(today);
    let mut made: Vec<DemoCustomer> = Vec::with_capacity(customers.min(MOST_CUSTOMERS));
    for index in 0..customers.min(MOST_CUSTOMERS) {
        let mut random = Random::split(seed, index);
        let customer = if index % DUPLICATE_EVERY == DUPLICATE_EVERY - 1 {
            let original = index - 1 - random.below(DUPLICATE_EVERY - 10);
            near_duplicate(&mut random, &made[original], original)
        } else {
            maker.customer(&mut random)
        };
        made.push(customer);
    }
    DemoCompany {
        name: "岭岳实业集团有限公司",
        short_name: "岭岳集团",
        people: PEOPLE.to_vec(),
        customers: made,
    }
}

struct Maker {
    today: Date,
    /// Everything that two customers must not share: names of organisations, codes, numbers, plates, rooms.
    taken: HashSet<String>,
    /// The districts of each of [`CITIES`], or the city itself where it has none.
    districts: Vec<Vec<&'static regions::Region>>,
    /// Codes of counties for the ID numbers of people from elsewhere.
    homes: Vec<&'static str>,
}

/// What all fields of one customer have to agree on.
struct Frame {
    line: BusinessLine,
    profile: &'static Profile,
    city: &'static City,
    district: &'static regions::Region,
    /// One of the fifth that has four fifths of the activities.
    is_busy: bool,
    first_contact_on: Date,
}

impl Maker {
    fn new(today: Date) -> Self {
        let districts = CITIES.iter().map(|city| {
            let below: Vec<_> = regions::children(city.path).collect();
            if below.is_empty() { regions::find(city.path).into_iter().collect() } else { below }
        });
        let prefectures = HOME_PROVINCES.iter().flat_map(|province| regions::children(province));
        let homes = prefectures
            .flat_map(|prefecture| regions::children(prefecture.path))
            .map(|county| county.code)
            .collect();
        Maker { today, taken: HashSet::new(), districts: districts.collect(), homes }
    }

    /// Draws until something new comes up. The spaces drawn from hold many times [`MOST_CUSTOMERS`].
    fn fresh(&mut self, random: &mut Random, mut draw: impl FnMut(&mut Random) -> String) -> String {
        loop {
            let drawn = draw(random);
            if self.taken.insert(drawn.clone()) {
                return drawn;
            }
        }
    }

    fn customer(&mut self, random: &mut Random) -> DemoCustomer {
        let frame = self.frame(random);
        let mut customer = if random.chance(frame.profile.persons) {
            self.person(random, &frame)
        } else {
            self.organisation(random, &frame)
        };
        customer.assets = self.assets(random, &frame, &customer);
        customer.activities = self.activities(random, &frame, &customer);
        if random.chance(7) {
            forget(random, &mut customer);
        }
        customer
    }

    fn frame(&self, random: &mut Random) -> Frame {
        let line = *random.weighted(&LINES, |&line| profile(line).weight);
        let places: Vec<usize> = (0..CITIES.len()).collect();
        let place = *random.weighted(&places, |&place| CITIES[place].weight);
        // The first districts in the list are the centre of most cities and have more customers.
        let districts = &self.districts[place];
        let district = districts[random.below(districts.len()).min(random.below(districts.len()))];
        let is_busy = random.chance(20);
        let days_ago = match random.below(10) {
            0..3 if !is_busy => random.between(12, 200),
            _ => random.between(200, 2_200),
        };
        Frame {
            line,
            profile: profile(line),
            city: &CITIES[place],
            district,
            is_busy,
            first_contact_on: self.today.saturating_sub(days_ago.days()),
        }
    }

    fn person(&mut self, random: &mut Random, frame: &Frame) -> DemoCustomer {
        let male = random.chance(54);
        let birthday = self.birthday(random, 22, 70);
        let name = words::person_name(random, male, birthday.year());
        let home = if random.chance(50) { frame.district.code } else { *random.pick(&self.homes) };
        let id_number = self.fresh(random, |random| identifiers::id_number(random, home, birthday, male));
        let phone = self.mobile(random);
        let account = format!("{}{}", name.spelling, &phone[7..]);
        let mut customer = blank(random, frame, "person", name.full);
        customer.id_number = random.chance(72).then_some(id_number);
        customer.gender = Some(if male { "male" } else { "female" });
        customer.birthday = random.chance(80).then_some(birthday);
        customer.landline = random.chance(12).then(|| landline(random, frame.city));
        customer.email = random.chance(35).then(|| format!("{account}@example.cn"));
        customer.wechat = random.chance(45).then(|| wechat(random, name.spelling, &phone));
        customer.phone = Some(phone);
        customer.address = Some(home_address(random, frame.city));
        if random.chance(9) {
            let birthday = self.birthday(random, 24, 68);
            let family = words::person_name(random, !male, birthday.year());
            customer.contacts.push(DemoContact {
                name: family.full,
                title: None,
                department: None,
                role: "family",
                phone: self.mobile(random),
                email: None,
                is_primary: true,
                birthday: None,
                remark: Some("家属，紧急联系人"),
            });
        }
        customer
    }

    fn organisation(&mut self, random: &mut Random, frame: &Frame) -> DemoCustomer {
        let body = self.body(random, frame);
        let code = match frame.district.code {
            "" => "440000",
            code => code,
        };
        let credit_code = self.fresh(random, |random| identifiers::credit_code(random, body.authority, code));
        let domain = format!("{}{}.example.cn", body.spelling, random.between(10, 999));
        let phone = if random.chance(62) {
            self.fresh(random, |random| landline(random, frame.city))
        } else {
            self.mobile(random)
        };
        let mut customer = blank(random, frame, "organisation", body.name);
        customer.short_name = Some(body.short_name);
        customer.nature = Some(body.nature);
        customer.industry = Some(body.industry);
        customer.parent_organisation = body.parent;
        customer.credit_code = random.chance(86).then_some(credit_code);
        customer.landline = random.chance(35).then(|| landline(random, frame.city));
        customer.fax = random.chance(30).then(|| landline(random, frame.city));
        let mailbox = random.pick(&["info", "office", "sales", "caigou", "service", "admin"]);
        customer.email = random.chance(60).then(|| format!("{mailbox}@{domain}"));
        customer.website = random.chance(40).then(|| format!("https://www.{domain}"));
        customer.wechat = random.chance(20).then(|| wechat(random, &body.spelling, &phone));
        customer.phone = Some(phone);
        customer.address = Some(business_address(random, frame));
        customer.credit_status =
            random.chance(80).then(|| random.weighted(CREDIT_STATUS, |&(_, weight)| weight).0);
        customer.business_traits = random.chance(55).then(|| *random.pick(frame.profile.traits));
        customer.contacts = self.contacts(random, frame, &domain);
        customer
    }

    fn contacts(&mut self, random: &mut Random, frame: &Frame, domain: &str) -> Vec<DemoContact> {
        let count = match random.below(100) {
            0..50 => 1,
            50..80 => 2,
            80..94 => 3,
            _ => 4,
        };
        // Consecutive posts from a random start are different ones.
        let posts = frame.profile.posts;
        let start = random.below(posts.len());
        let mut contacts = Vec::with_capacity(count);
        for place in 0..count {
            let Post(title, department, role, appellation) = &posts[(start + place) % posts.len()];
            let male = *appellation != "小姐" && random.chance(58);
            let birthday = self.birthday(random, 24, 58);
            let name = words::person_name(random, male, birthday.year());
            let phone = self.mobile(random);
            contacts.push(DemoContact {
                email: random.chance(45).then(|| format!("{}{}@{domain}", name.spelling, &phone[8..])),
                name: name.full,
                title: Some(title),
                department: random.chance(85).then_some(*department),
                role,
                phone,
                is_primary: place == 0,
                birthday: random.chance(25).then_some(birthday),
                remark: random.chance(8).then(|| *random.pick(PERSONAL_REMARKS)),
            });
        }
        contacts
    }

    fn mobile(&mut self, random: &mut Random) -> String {
        self.fresh(random, identifiers::mobile)
    }

    fn birthday(&self, random: &mut Random, youngest: i64, oldest: i64) -> Date {
        let days = random.between(youngest * 366, oldest * 365);
        self.today.saturating_sub(days.days())
    }

    fn assets(&mut self, random: &mut Random, frame: &Frame, customer: &DemoCustomer) -> Vec<DemoAsset> {
        let is_person = customer.kind == "person";
        let count = match (frame.line, is_person) {
            (BusinessLine::Vehicles, false) => random.between(1, 6),
            (BusinessLine::Vehicles, true) if random.chance(22) => 0,
            (BusinessLine::Retail, true) => 0,
            (BusinessLine::Retail, false) => random.between(0, 2),
            (BusinessLine::Manufacturing, _) => random.between(0, 4),
            _ => 1 + i64::from(random.chance(8)),
        };
        (0..count).map(|_| self.asset(random, frame, is_person)).collect()
    }

    fn asset(&mut self, random: &mut Random, frame: &Frame, is_person: bool) -> DemoAsset {
        match frame.line {
            BusinessLine::Vehicles => {
                let &(maker, brand_model, is_green, _) = random.weighted(CARS, |car| car.3);
                let bought_on = self.day_between(random, frame.first_contact_on);
                let place = frame.city.plate;
                DemoAsset::Vehicle {
                    plate: self.fresh(random, |random| identifiers::plate(random, place, is_green)),
                    vin: self.fresh(random, |random| identifiers::vin(random, maker, bought_on.year())),
                    brand_model,
                    bought_on,
                }
            }
            BusinessLine::Property => self.room(random, frame, is_person),
            BusinessLine::Power => DemoAsset::Meter {
                number: self.fresh(random, |random| format!("44{}", random.digits(b"0123456789", 8))),
                capacity_kva: if is_person {
                    *random.pick(&[4, 6, 8, 8, 8, 12])
                } else {
                    *random.pick(&[
                        50, 80, 100, 160, 200, 250, 315, 400, 400, 500, 630, 800, 1000, 1250, 2000, 3150,
                    ])
                },
            },
            BusinessLine::Retail | BusinessLine::Manufacturing => {
                let goods = if frame.line == BusinessLine::Retail { SHOP_PRODUCTS } else { PRODUCTS };
                let &(model, letters) = random.pick(goods);
                let installed_on = self.day_between(random, frame.first_contact_on);
                let year = installed_on.year() % 100;
                DemoAsset::Product {
                    model,
                    serial: self.fresh(random, |random| {
                        format!(
                            "{letters}{year:02}{:02}{}",
                            installed_on.month(),
                            random.digits(b"0123456789", 5)
                        )
                    }),
                    installed_on,
                    warranty_until: installed_on.saturating_add(random.between(1, 3).years()),
                }
            }
        }
    }

    fn room(&mut self, random: &mut Random, frame: &Frame, is_person: bool) -> DemoAsset {
        let communities = if is_person { [0, 1, 5, 6] } else { [2, 3, 4, 2] };
        let community = COMMUNITIES[*random.pick(&communities)];
        let buildings = if is_person { 20 } else { 6 };
        let mut place = (0, 0, 0, 0);
        self.fresh(random, |random| {
            place = (
                random.between(1, buildings),
                random.between(1, 3),
                random.between(1, 28),
                random.between(1, 6),
            );
            format!("{}{community}{place:?}", frame.city.path)
        });
        let (building, unit, floor, door) = place;
        let area = if is_person { random.between(5_200, 16_800) } else { random.between(8_000, 120_000) };
        DemoAsset::Room {
            community,
            building: if is_person { format!("{building}栋") } else { format!("{}座", letter(building)) },
            unit: format!("{unit}单元"),
            room: format!("{floor}{door:02}"),
            area_m2: area as f64 / 100.0,
        }
    }

    /// A day from `start` up to yesterday, later ones more often.
    fn day_between(&self, random: &mut Random, start: Date) -> Date {
        let days = days_between(start, self.today).max(1);
        let ago = random.between(1, days).min(random.between(1, days));
        self.today.saturating_sub(ago.days())
    }

    fn activities(&self, random: &mut Random, frame: &Frame, customer: &DemoCustomer) -> Vec<DemoActivity> {
        let count = if frame.is_busy {
            random.between(8, 22)
        } else {
            match random.below(100) {
                0..45 => 0,
                45..74 => 1,
                74..94 => 2,
                _ => 3,
            }
        };
        let mut activities: Vec<DemoActivity> = Vec::new();
        for _ in 0..count {
            // The same thing does happen twice, but not as often as blind draws would have it.
            let is_said = |note: &Note| activities.iter().any(|activity| activity.subject == note.subject);
            let drawn = [(); 3].map(|()| note_for(random, frame, customer));
            let note = drawn.into_iter().find(|note| !is_said(note)).unwrap_or(drawn[0]);
            activities.push(self.activity(random, frame, customer, note));
        }
        activities.sort_by_key(|activity| activity.happened_at);
        activities
    }

    fn activity(
        &self,
        random: &mut Random,
        frame: &Frame,
        customer: &DemoCustomer,
        note: &Note,
    ) -> DemoActivity {
        let contact = match customer.contacts.len() {
            0 => None,
            _ if customer.kind == "person" => None,
            count => Some(random.below(count).min(random.below(count))),
        };
        let who = match contact {
            Some(index) => appellation(&customer.contacts[index], frame.profile),
            None => form_of_address(customer),
        };
        let has_result = !matches!(note.kind, "note" | "need" | "change_customer" | "change_relation");
        let happened_at = self.moment(random, frame);
        DemoActivity {
            kind: note.kind,
            subject: note.subject,
            body: notes::fill(note.body, random, &who, happened_at.month()),
            direction: (!note.direction.is_empty()).then_some(note.direction),
            result: has_result.then_some(if note.effective { "effective" } else { "ineffective" }),
            happened_at,
            contact,
            by: match customer.owner {
                Some(owner) if random.chance(88) => owner,
                _ => *random.pick(frame.profile.owners),
            },
        }
    }

    /// A moment in working hours on a working day of the last two years, after the first contact.
    fn moment(&self, random: &mut Random, frame: &Frame) -> DateTime {
        let start = frame.first_contact_on.max(self.today.saturating_sub(730.days()));
        let days = days_between(start, self.today).max(1);
        let weekend = frame.profile.open_on_weekends && random.chance(20);
        let first = random.between(1, days);
        let is_open = |ago: &i64| is_working_day(self.today.saturating_sub(ago.days()), weekend);
        // From a random day on, around the end of the window, to the first that is a working day.
        let ago = (first..=days).chain(1..first).find(is_open).unwrap_or(first);
        let five_minutes =
            if random.chance(47) { random.between(102, 142) } else { random.between(162, 214) };
        let (hour, minute) = (five_minutes / 12, five_minutes % 12 * 5);
        self.today.saturating_sub(ago.days()).to_datetime(time(hour as i8, minute as i8, 0, 0))
    }

    fn body(&mut self, random: &mut Random, frame: &Frame) -> Body {
        let roll = random.below(100);
        match frame.line {
            BusinessLine::Retail if roll < 55 => self.shop(random, frame),
            BusinessLine::Power | BusinessLine::Vehicles if roll < 10 => self.public_body(random, frame),
            BusinessLine::Property if roll < 6 => self.public_body(random, frame),
            BusinessLine::Property => self.firm(random, frame, words::TENANT_TRADES),
            BusinessLine::Vehicles => self.firm(random, frame, words::FLEET_TRADES),
            BusinessLine::Power => self.firm(random, frame, words::POWER_TRADES),
            BusinessLine::Retail => self.firm(random, frame, words::DEALER_TRADES),
            BusinessLine::Manufacturing => self.firm(random, frame, words::MANUFACTURING_TRADES),
        }
    }

    fn firm(&mut self, random: &mut Random, frame: &Frame, trades: &[Trade]) -> Body {
        let form = random.weighted(FORMS, |&(_, weight)| weight).0;
        let &(trade, industry) = random.pick(trades);
        let mut brand = (String::new(), String::new());
        let city = frame.city.name;
        // Two firms may not differ in the form alone: that would look like a duplicate.
        let stem = self.fresh(random, |random| {
            brand = words::brand(random);
            format!("{city}{}{trade}", brand.0)
        });
        let (own, spelling) = brand;
        let parent = match random.below(100) {
            0..16 => Some(format!("{own}控股集团有限公司")),
            16..22 => Some(format!("{city}市国有资产监督管理委员会")),
            _ => None,
        };
        let nature = match random.below(100) {
            _ if parent.as_ref().is_some_and(|parent| parent.ends_with('会')) => "state_owned",
            0..78 => "private",
            78..85 => "joint_venture",
            85..91 => "foreign",
            91..96 => "state_owned",
            _ => "collective",
        };
        Body {
            name: format!("{stem}{form}"),
            short_name: format!("{own}{trade}"),
            nature,
            industry,
            authority: "91",
            parent,
            spelling,
        }
    }

    fn shop(&mut self, random: &mut Random, frame: &Frame) -> Body {
        let &(trade, industry) = random.pick(words::SHOP_TRADES);
        let mut brand = (String::new(), String::new());
        let name = self.fresh(random, |random| {
            brand = words::brand(random);
            format!("{}{}{trade}", local_place(frame), brand.0)
        });
        let short_name = format!("{}{trade}", brand.0);
        let spelling = brand.1;
        Body { name, short_name, nature: "sole_trader", industry, authority: "92", parent: None, spelling }
    }

    fn public_body(&mut self, random: &mut Random, frame: &Frame) -> Body {
        let &(ending, industry, nature, authority) = random.pick(words::PUBLIC_BODIES);
        let mut brand = (String::new(), String::new());
        let name = self.fresh(random, |random| {
            brand = words::brand(random);
            format!("{}{}{ending}", local_place(frame), brand.0)
        });
        let parent = match industry {
            "education" => Some(format!("{}教育局", local_place(frame))),
            "health" => Some(format!("{}卫生健康局", local_place(frame))),
            "public_administration" => Some(format!("{}人民政府", local_place(frame))),
            _ => None,
        };
        let short_name = format!("{}{ending}", brand.0);
        Body { name, short_name, nature, industry, authority, parent, spelling: brand.1 }
    }
}

/// An organisation's name and what follows from it.
struct Body {
    name: String,
    short_name: String,
    nature: &'static str,
    industry: &'static str,
    /// First two characters of the credit code.
    authority: &'static str,
    parent: Option<String>,
    /// Its own name in pinyin.
    spelling: String,
}

fn note_for(random: &mut Random, frame: &Frame, customer: &DemoCustomer) -> &'static Note {
    let is_person = customer.kind == "person";
    let is_public =
        matches!(customer.nature, Some("public_institution" | "government" | "social_organisation"));
    match random.below(100) {
        // Schools and offices have no orders to lose and no capital to raise: they move and change people.
        0..6 if is_public => &notes::CHANGES[*random.pick(&[1, 3, 9])],
        0..6 if !is_person => random.pick(notes::CHANGES),
        6..36 if !is_person => random.pick(notes::GENERAL),
        // Persons get no receptions, sealed letters or meetings: only calls and short messages.
        6..22 => &notes::GENERAL[*random.pick(&[0, 0, 1, 2, 6, 7])],
        _ if is_person => random.pick(notes::of_person(frame.line)),
        _ => random.pick(notes::of_organisation(frame.line)),
    }
}

/// The fields that persons and organisations share.
fn blank(random: &mut Random, frame: &Frame, kind: &'static str, name: String) -> DemoCustomer {
    let (class, level) = match (frame.is_busy, random.below(100)) {
        (true, 0..45) => ("key", *random.pick(&["A", "A", "B"])),
        (true, 45..60) => ("target", *random.pick(&["A", "B"])),
        (true, _) => ("general", *random.pick(&["B", "B", "C"])),
        (false, 0..68) => ("general", *random.pick(&["B", "C", "C", "D"])),
        (false, 68..90) => ("potential", *random.pick(&["C", "D"])),
        (false, 90..97) => ("target", *random.pick(&["B", "C"])),
        (false, _) => ("key", "B"),
    };
    let owner = match random.below(100) {
        0..9 if class != "key" => None,
        9..20 if class == "key" => Some(MANAGER),
        _ => Some(*random.pick(frame.profile.owners)),
    };
    let (wishes, remarks) = match kind {
        "person" => (&frame.profile.of_persons, PERSONAL_REMARKS),
        _ => (&frame.profile.of_organisations, REMARKS),
    };
    let mut tags: Vec<&'static str> = Vec::new();
    for _ in 0..random.below(4) {
        let tag = *random.pick(wishes.tags);
        if !tags.contains(&tag) {
            tags.push(tag);
        }
    }
    DemoCustomer {
        line: frame.line,
        kind,
        name,
        short_name: None,
        class: Some(class),
        level: random.chance(90).then_some(level),
        nature: None,
        parent_organisation: None,
        industry: None,
        credit_code: None,
        id_number: None,
        gender: None,
        birthday: None,
        phone: None,
        landline: None,
        fax: None,
        email: None,
        website: None,
        wechat: None,
        region: Some(frame.district.path.to_owned()),
        address: None,
        credit_status: None,
        source: Some(random.weighted(SOURCES, |&(_, weight)| weight).0),
        business_traits: None,
        needs: random.chance(48).then(|| *random.pick(wishes.needs)),
        tags,
        remark: random.chance(16).then(|| *random.pick(remarks)),
        owner,
        first_contact_on: frame.first_contact_on,
        contacts: Vec::new(),
        assets: Vec::new(),
        activities: Vec::new(),
        near_duplicate_of: None,
    }
}

/// Leaves a record as incomplete as some are in every company.
fn forget(random: &mut Random, customer: &mut DemoCustomer) {
    match random.below(4) {
        0 => customer.phone = None,
        1 => (customer.region, customer.address) = (None, None),
        2 => (customer.class, customer.level, customer.source) = (None, None, None),
        _ => {
            (customer.credit_code, customer.id_number, customer.industry, customer.nature) =
                (None, None, None, None)
        }
    }
}

/// The same customer as a second clerk would enter him: less of him, and the name or the number not quite the same.
fn near_duplicate(random: &mut Random, original: &DemoCustomer, index: usize) -> DemoCustomer {
    let mut copy = original.clone();
    copy.near_duplicate_of = Some(index);
    copy.contacts.truncate(1);
    copy.assets.clear();
    copy.activities.clear();
    copy.tags.clear();
    (copy.owner, copy.level, copy.remark, copy.needs) = (None, None, None, None);
    (copy.credit_code, copy.id_number, copy.birthday) = (None, None, None);
    (copy.email, copy.website, copy.wechat, copy.fax) = (None, None, None, None);
    copy.source = Some("other");
    if original.kind == "organisation" {
        copy.name = miswritten(random, &original.name, original.short_name.as_deref());
        copy.short_name = None;
    } else if random.chance(30) {
        // Same person, another number: only name and address tell.
        copy.phone = Some(identifiers::mobile(random));
    }
    copy
}

fn miswritten(random: &mut Random, name: &str, short: Option<&str>) -> String {
    let prefixed = CITIES.iter().find_map(|city| Some((city.name, name.strip_prefix(city.name)?)));
    // What stands before a bare 有限公司; in 股份有限公司 the words belong together.
    let stem = name
        .strip_suffix("有限公司")
        .filter(|stem| !["股份", "实业", "集团"].iter().any(|form| stem.ends_with(form)));
    match (random.below(4), prefixed, stem) {
        (0, Some((city, rest)), Some(_)) => rest.replace("有限公司", &format!("（{city}）有限公司")),
        (1, _, Some(stem)) => format!("{stem}有限责任公司"),
        (2, _, Some(stem)) => stem.to_owned(),
        (3, Some((_, rest)), _) => rest.strip_prefix('市').unwrap_or(rest).to_owned(),
        _ => short.unwrap_or(name).to_owned(),
    }
}

fn landline(random: &mut Random, city: &City) -> String {
    identifiers::landline(random, city.area_code, city.local_digits)
}

fn wechat(random: &mut Random, spelling: &str, phone: &str) -> String {
    if random.chance(40) && phone.len() == 11 {
        return phone.to_owned();
    }
    let short: String = spelling.chars().take(12).collect();
    format!("{short}_{}", random.between(1_000, 99_999))
}

/// `广州市天河区`, `浏阳市`, as it stands in the names of shops, schools and offices.
fn local_place(frame: &Frame) -> String {
    let name = frame.district.name;
    match frame.district.path.rsplit('/').nth(1) {
        Some(city) if name.ends_with('区') => format!("{city}{name}"),
        _ => name.to_owned(),
    }
}

fn road(random: &mut Random, city: &City) -> String {
    let road = if random.chance(45) { *random.pick(city.roads) } else { *random.pick(ROADS) };
    format!("{road}{}号", random.between(1, 688))
}

fn home_address(random: &mut Random, city: &City) -> String {
    let road = road(random, city);
    let (building, unit) = (random.between(1, 28), random.between(1, 4));
    let (floor, door) = (random.between(1, 30), random.between(1, 6));
    format!("{road}{building}栋{unit}单元{floor}{door:02}房")
}

fn business_address(random: &mut Random, frame: &Frame) -> String {
    let road = road(random, frame.city);
    match frame.line {
        BusinessLine::Power | BusinessLine::Manufacturing if random.chance(70) => {
            let park = random.pick(&["工业园", "产业园", "科技园"]);
            format!("{road}{park}{}栋", letter(random.between(1, 8)))
        }
        BusinessLine::Retail if random.chance(70) => format!("{road}首层{:02}铺", random.between(1, 60)),
        _ => {
            let tower = random.pick(&["大厦", "商务中心", "广场"]);
            let (name, _) = words::brand(random);
            format!(
                "{road}{name}{tower}{}座{}{:02}室",
                letter(random.between(1, 4)),
                random.between(2, 38),
                random.between(1, 20)
            )
        }
    }
}

/// `A` for 1 and so on.
fn letter(number: i64) -> char {
    u8::try_from(number - 1).ok().filter(|&n| n < 26).map_or('A', |n| char::from(b'A' + n))
}

/// `王经理`
fn appellation(contact: &DemoContact, profile: &Profile) -> String {
    let said =
        profile.posts.iter().find(|post| Some(post.0) == contact.title).map_or("经理", |post| post.3);
    format!("{}{said}", surname(&contact.name))
}

/// `王先生`, `李女士`; for an organisation without contacts `对方`.
fn form_of_address(customer: &DemoCustomer) -> String {
    match customer.gender {
        Some("male") => format!("{}先生", surname(&customer.name)),
        Some(_) => format!("{}女士", surname(&customer.name)),
        None => "对方".to_owned(),
    }
}

fn surname(name: &str) -> &str {
    let known =
        words::SURNAMES.iter().map(|(surname, ..)| *surname).filter(|surname| name.starts_with(surname));
    known.max_by_key(|surname| surname.len()).unwrap_or(name)
}

/// Whole days from `start` to `end`.
fn days_between(start: Date, end: Date) -> i64 {
    i64::from((end - start).get_days())
}

/// Monday to Friday, or Saturday and Sunday if so asked, without the fixed days of the long holidays.
fn is_working_day(day: Date, weekend: bool) -> bool {
    let at_weekend = matches!(day.weekday(), Weekday::Saturday | Weekday::Sunday);
    let holiday = matches!((day.month(), day.day()), (1, 1) | (5, 1..=3) | (10, 1..=7));
    at_weekend == weekend && !holiday
}

#[cfg(test)]
mod tests;
