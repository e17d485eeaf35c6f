import { contract } from '../contract.ts'
import { train } from '../pages/train.ts'

contract(train)
