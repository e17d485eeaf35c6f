import { contract } from '../contract.ts'
import { borders } from '../pages/borders.ts'

contract(borders)
