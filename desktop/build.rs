//! Generates what Tauri reads at compile time: the permissions of our commands, and the icons.

fn main() {
    tauri_build::build();
}
