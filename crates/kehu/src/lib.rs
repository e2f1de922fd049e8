//! kehu
