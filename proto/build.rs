//! Compiles the `.proto` files in pure Rust, so that nobody has to install
//! `protoc` to build a node.

fn main() -> Result<(), Box<dyn std::error::Error>> {
    const FILES: [&str; 3] = ["proto/raft.proto", "proto/admin.proto", "proto/messages.proto"];
    for file in FILES {
        println!("cargo::rerun-if-changed={file}");
    }
    let descriptors = protox::compile(FILES, ["proto"])?;
    tonic_prost_build::configure().bytes(".").compile_fds(descriptors)?;
    Ok(())
}
