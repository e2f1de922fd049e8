//! (being built)
#[derive(Clone, Debug)]
pub struct Expr;
impl Expr {
    pub fn sql(&self, _: &mut crate::query::Conditions) -> String {
        "TRUE".into()
    }
}
