//! Integers at the edges of what the server, its scripts and JSON can count.

use super::*;

#[tokio::test]
async fn sums_are_exact_at_every_length() -> TestResult {
    let mut numbers = vec![0, 1, 9, 10];
    for digits in [7, 8, 14, 15, 16, 19, 20, 21, 28, 38] {
        let power = 10_i128.pow(digits);
        numbers.extend([power - 1, power, power + 1]);
    }
    for bits in [53, 63, 64] {
        numbers.extend([(1_i128 << bits) - 1, 1 << bits, (1 << bits) + 1]);
    }
    numbers.extend([i128::MAX - 1, i128::MAX]);
    let negative: Vec<_> = numbers.iter().map(|number| -number).collect();
    numbers.extend(negative);
    numbers.push(i128::MIN);
    let server = Server::shared(Flavour::Redis7).await;
    let backend = connect(server).await?;
    for &stored in &numbers {
        for &delta in &numbers {
            put(&backend, "numbers:sum", &stored.to_string()).await?;
            let added = backend.add(&key("numbers:sum"), plus(delta)).await;
            match stored.checked_add(delta) {
                Some(sum) => {
                    assert_eq!(added.ok(), Some(sum), "{stored} + {delta}");
                    let now = value(&backend, "numbers:sum").await?;
                    assert_eq!(now, Some(sum.to_string()), "{stored} + {delta}");
                }
                None => assert_eq!(
                    added.map_err(|error| error.kind()),
                    Err(ErrorKind::OutOfRange),
                    "{stored} + {delta}"
                ),
            }
        }
    }
    Ok(())
}

#[tokio::test]
async fn bounds_are_exact() -> TestResult {
    for flavour in Flavour::ALL {
        let backend = connect(Server::shared(flavour).await).await?;
        let name = key("numbers:bounds");
        for bound in [0, 1 << 53, i128::from(i64::MAX), i128::from(u64::MAX), 10_i128.pow(30)] {
            for bound in [bound, -bound - 1] {
                let above = AddOptions { min: bound, ..plus(0) };
                let below = AddOptions { max: bound, ..plus(0) };
                for (stored, options, fits) in [
                    (bound, above, true),
                    (bound, below, true),
                    (bound - 1, above, false),
                    (bound + 1, below, false),
                    (bound + 1, above, true),
                    (bound - 1, below, true),
                ] {
                    put(&backend, "numbers:bounds", &stored.to_string()).await?;
                    let added = backend.add(&name, options).await;
                    assert_eq!(added.is_ok(), fits, "{stored} in {options:?}");
                }
            }
        }
    }
    Ok(())
}

#[tokio::test]
async fn an_integer_is_what_json_calls_so() -> TestResult {
    for flavour in Flavour::ALL {
        let backend = connect(Server::shared(flavour).await).await?;
        let name = key("numbers:json");
        for (stored, sum) in [(" 41\n", 42), ("0", 1), ("-1", 0), ("\t-5 ", -4)] {
            put(&backend, "numbers:json", stored).await?;
            assert_eq!(backend.add(&name, plus(1)).await?, sum, "{stored:?}");
        }
        let beyond = "170141183460469231731687303715884105728";
        for stored in ["007", "+1", "-", "- 1", "-0", "1.0", "1e3", "0x1", "1\0", "", beyond] {
            put(&backend, "numbers:json", stored).await?;
            let options = plus(-5);
            assert_eq!(
                refused(backend.add(&name, options)).await,
                ErrorKind::NotAnInteger,
                "{stored:?}"
            );
        }
    }
    Ok(())
}

#[tokio::test]
async fn other_programs_can_count_on() -> TestResult {
    for flavour in Flavour::ALL {
        let server = Server::shared(flavour).await;
        let backend = connect(server).await?;
        server.command::<()>(&["SET", "numbers:shared", "5"]).await?;
        assert_eq!(backend.add(&key("numbers:shared"), plus(2)).await?, 7);
        let sum: i64 = server.command(&["INCRBY", "numbers:shared", "3"]).await?;
        assert_eq!(sum, 10);
    }
    Ok(())
}
