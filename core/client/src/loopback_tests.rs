use super::*;
use landfall_crypto::ambient::SystemRandom;

async fn ask(port: u16, request: &str) -> String {
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    let _ = stream.read_to_string(&mut answer).await;
    answer
}

fn get(listener: &Loopback, path: &str, query: &str) -> String {
    format!("GET /{path}?{query} HTTP/1.1\r\nHost: 127.0.0.1:{}\r\n\r\n", listener.port)
}

#[tokio::test]
async fn one_get_with_the_right_path_is_relayed() {
    let listener = Loopback::open(&SystemRandom).await.unwrap();
    let request = get(&listener, &listener.path, "completion=abc_DEF-123");
    let (completion, answer) = tokio::join!(listener.completion(), ask(listener.port, &request));
    assert_eq!(completion.unwrap(), "abc_DEF-123");
    assert!(answer.starts_with("HTTP/1.1 200"));
    assert!(answer.contains("You can close this window"));
    assert!(!answer.contains("abc_DEF-123"), "the completion is not echoed");
}

#[tokio::test]
async fn strangers_are_turned_away_and_the_listener_goes_on() {
    let listener = Loopback::open(&SystemRandom).await.unwrap();
    let port = listener.port;
    let good = get(&listener, &listener.path, "completion=right");
    let bad = [
        get(&listener, "guess", "completion=x"),
        get(&listener, &listener.path, "completion="),
        get(&listener, &listener.path, "completion=a&completion=b"),
        get(&listener, &listener.path, "other=a"),
        get(&listener, &listener.path, "completion=%3Cscript%3E"),
        good.replace("GET", "POST"),
        good.replace("127.0.0.1", "evil.example"),
        good.replace("Host", "Cookie"),
        format!("{}\r\n\r\n", "x".repeat(2 * REQUEST_MAX)),
    ];
    let visitors = async {
        for request in &bad {
            assert!(!ask(port, request).await.contains("200 OK"), "{request}");
        }
        ask(port, &good).await
    };
    let (completion, _) = tokio::join!(listener.completion(), visitors);
    assert_eq!(completion.unwrap(), "right");
}

/// Browsers open connections ahead of need, and any program here can open more.
#[tokio::test]
async fn silent_visitors_do_not_keep_the_browser_waiting() {
    let listener = Loopback::open(&SystemRandom).await.unwrap();
    let port = listener.port;
    let request = get(&listener, &listener.path, "completion=right");
    let visitors = async {
        let mut silent = Vec::new();
        for _ in 0..=VISITS_MAX {
            silent.push(TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await.unwrap());
        }
        // Nobody reads the clock here: were they waited for, each would take its five seconds.
        let answer = tokio::time::timeout(VISIT_TIMEOUT, ask(port, &request)).await;
        drop(silent);
        answer.is_ok()
    };
    let (completion, in_time) = tokio::join!(listener.completion(), visitors);
    assert_eq!(completion.unwrap(), "right");
    assert!(in_time);
}
